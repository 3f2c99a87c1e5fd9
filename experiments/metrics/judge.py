"""One set of images against another by every metric, and whether a metric follows the damage."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from genjax import metrics


class Measure(NamedTuple):
    """What a metric is called, and which way it goes as images get worse or more alike."""

    title: str
    worse: int


MEASURES = {
    "frechet": Measure("Fréchet", 1),
    "kernel": Measure("kernel", 1),
    "sliced_wasserstein": Measure("sliced Wasserstein", 1),
    "precision": Measure("precision", -1),
    "recall": Measure("recall", -1),
    "density": Measure("density", -1),
    "coverage": Measure("coverage", -1),
    "inception_score": Measure("Inception score", -1),
    "diversity": Measure("MS-SSIM of pairs", 1),
}


class Seen(NamedTuple):
    """Images and what a net saw in them: uint8 [N, H, W, C], float32 [N, D], float32 [N, classes]."""

    images: np.ndarray
    features: np.ndarray
    probabilities: np.ndarray

    def at(self, positions) -> "Seen":
        """Some of them."""
        return Seen(*(part[positions] for part in self))


def judge(real: Seen, fake: Seen, subset: int = 500, patched: int = 1024) -> dict[str, float]:
    """Every metric of `fake`, as it is called in MEASURES, against as many reals.

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
    """Whether each value is worse than the one before it."""
    return bool(np.all(worse * np.diff(values) > 0))
