"""The arithmetic of all metrics: functions of arrays that return numbers. They know neither nets nor JAX.

SciPy is imported where it is called, since every training run imports this package.

No function has the name of a module of this package, so `from genjax.metrics import name` is one thing only.
"""

from genjax.metrics.accuracy import conditional_accuracy
from genjax.metrics.binomial import binomial_interval
from genjax.metrics.frechet import Moments, distance_of_moments, frechet_distance
from genjax.metrics.inception import inception_score
from genjax.metrics.kernel import kernel_distance
from genjax.metrics.likelihood import gaussian_kl, importance_bound
from genjax.metrics.manifold import density_coverage, precision_recall
from genjax.metrics.modes import count_classes, count_modes
from genjax.metrics.neighbors import nearest_neighbors
from genjax.metrics.perceptual_path import perceptual_path_length
from genjax.metrics.reconstruction import bce, mse, psnr, rounded_accuracy
from genjax.metrics.similarity import ms_ssim, ms_ssim_diversity, ms_ssim_each, ssim
from genjax.metrics.wasserstein import sliced_wasserstein
