"""How results are judged: functions of arrays that return numbers. Who makes the arrays is not their concern."""

from genjax.metrics.accuracy import conditional_accuracy
from genjax.metrics.frechet import Moments, frechet_distance
from genjax.metrics.inception_score import inception_score
from genjax.metrics.kernel import kernel_distance
from genjax.metrics.likelihood import gaussian_kl, importance_bound
from genjax.metrics.modes import count_classes, count_modes
from genjax.metrics.ms_ssim import ms_ssim, ms_ssim_diversity, ms_ssim_each, ssim
from genjax.metrics.neighbors import nearest_neighbors
from genjax.metrics.perceptual_path import perceptual_path_length
from genjax.metrics.precision_recall import density_coverage, precision_recall
from genjax.metrics.reconstruction import bce, mse, psnr, rounded_accuracy
from genjax.metrics.sliced_wasserstein import sliced_wasserstein
