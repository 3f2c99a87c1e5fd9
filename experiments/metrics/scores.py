"""Scores of one set of images against another by every metric, and whether a metric follows the damage."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from genjax import metrics
from genjax.evaluation import feature_metrics, sample_metrics
from genjax.evaluation.metric import HIGHER, Quantity


class Measure(NamedTuple):
    """A metric of the study: its title in tables, and the quantity that says which way is better."""

    title: str
    quantity: Quantity

    @property
    def worse(self) -> int:
        """The sign of the change that damage should cause.

        MS-SSIM of pairs has no better direction; the study asks whether damage makes images more alike.
        """
        return -1 if self.quantity.better == HIGHER else 1


MEASURES = {
    "frechet": Measure("Fréchet", feature_metrics.FRECHET),
    "kernel": Measure("kernel", feature_metrics.KERNEL),
    "sliced_wasserstein": Measure("sliced Wasserstein", sample_metrics.SLICED),
    "precision": Measure("precision", feature_metrics.PRECISION),
    "recall": Measure("recall", feature_metrics.RECALL),
    "density": Measure("density", feature_metrics.DENSITY),
    "coverage": Measure("coverage", feature_metrics.COVERAGE),
    "inception_score": Measure("Inception score", feature_metrics.INCEPTION_SCORE),
    "diversity": Measure("MS-SSIM of pairs", sample_metrics.SIMILARITY),
}


class Examples(NamedTuple):
    """Images with their features: uint8 [N, H, W, C], float32 [N, D], probabilities float32 [N, classes]."""

    images: np.ndarray
    features: np.ndarray
    probabilities: np.ndarray

    def at(self, positions) -> "Examples":
        """The examples at some positions."""
        return Examples(*(part[positions] for part in self))


def scores(real: Examples, fake: Examples, subset: int = 500, patched: int = 1024) -> dict[str, float]:
    """Every metric of MEASURES for `fake` against `real`.

    The kernel distance is over 20 subsets of `subset` images; the sliced Wasserstein distance, which takes as long as
    all others together, is of the first `patched` images.
    """
    n = min(len(real.images), len(fake.images), patched)
    return {
        "frechet": frechet(real.features, fake.features),
        "kernel": metrics.kernel_distance(real.features, fake.features, subsets=20, size=subset).mean,
        "sliced_wasserstein": metrics.sliced_wasserstein(real.images[:n], fake.images[:n]).mean,
        **metrics.precision_recall(real.features, fake.features)._asdict(),
        **metrics.density_coverage(real.features, fake.features)._asdict(),
        "inception_score": metrics.inception_score(fake.probabilities, splits=1).mean,
        "diversity": metrics.ms_ssim_diversity(fake.images, data_range=255),
    }


def frechet(real: np.ndarray, fake: np.ndarray) -> float:
    """The Fréchet distance of two sets of features."""
    x, y = (metrics.Moments.empty(z.shape[1]).add(z) for z in (real, fake))
    return metrics.frechet_distance(x.mean, x.cov, y.mean, y.cov)


def follows(values: Sequence[float], worse: int) -> bool:
    """True if each value is worse than the one before it."""
    return bool(np.all(worse * np.diff(values) > 0))
