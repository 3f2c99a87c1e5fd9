"""Modes of a distribution that samples cover, and how evenly. Source: arXiv:1712.04086 (PacGAN), section 4."""

import warnings
from typing import NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks, distances

LARGEST_CHANCE = 0.1
"""Nats by which samples of the distribution itself may diverge without a warning."""


class Modes(NamedTuple):
    """Number of modes with a good sample, share of good samples, and KL(modes of samples || modes) in nats."""

    covered: int
    high_quality: float
    kl: float


class Classes(NamedTuple):
    """Number of classes among the samples, and KL(classes of samples || classes of the data) in nats."""

    covered: int
    kl: float


def count_modes(x, centers, std, frequencies=None):
    """Modes of a mixture of round Gaussians that samples cover; a sample is good within 3 std of a center.

    Every sample, good or not, is counted at its nearest center for the divergence. 1 - exp(-9/2) = 98.9 % of a
    mixture's own samples in the plane are good. The paper counts 2,500 samples. For `ring8` and `grid25`:

        mixture = genjax.data.open_source("ring8").mixture
        count_modes(x, mixture.centers, mixture.std)

    Shapes: x [N, D], centers [modes, D], frequencies [modes] (None: all equal) -> Modes.
    Raises: InputError for widths that differ, NaN, std not above 0, or frequencies that do not sum to one.
    """
    x, centers = checks.table("x", x), checks.table("centers", centers)
    checks.same_width("x", x, "centers", centers)
    if not std > 0:
        raise InputError(f"std is {std!r}: expected the modes' standard deviation, above 0.")
    modes = len(centers)
    expected = _shares(np.full(modes, 1 / modes) if frequencies is None else frequencies, modes)
    squared = np.vstack([_squared(x[rows], centers) for rows in distances.slices(len(x))])
    nearest = squared.argmin(1)
    good = squared.min(1) <= (3 * std) ** 2
    counts = np.bincount(nearest, minlength=modes)
    return Modes(len(np.unique(nearest[good])), float(good.mean()), _divergence_of_counts(counts, expected))


def count_classes(labels, frequencies):
    """Classes among the labels that a classifier gives to samples, out of the classes of the data.

    Three stacked digits [N, 3] are the labels `digits @ [100, 10, 1]` of 1,000 classes.
    Shapes: labels int [N], frequencies [classes], their shares in the data -> Classes.
    Raises: InputError for labels outside the classes, or frequencies that do not sum to one.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not len(labels) or labels.dtype.kind not in "ui":
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}: expected integers [N]; take the argmax first."
        )
    expected = _shares(frequencies, np.size(frequencies))
    if labels.min() < 0 or labels.max() >= len(expected):
        raise InputError(f"labels go from {labels.min()} to {labels.max()}: expected 0 to {len(expected) - 1}.")
    counts = np.bincount(labels, minlength=len(expected))
    return Classes(int(np.count_nonzero(counts)), _divergence_of_counts(counts, expected))


def divergence(p, q):
    """KL(p || q) in nats; infinite if q is zero where p is not. Shapes: [K], [K] -> float."""
    support = p > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(p[support] * (np.log(p[support]) - np.log(q[support]))))


def _divergence_of_counts(counts, expected):
    """The divergence of counted shares; warns if there are too few, or some of which none are expected."""
    count = counts.sum()
    classes = np.count_nonzero(expected)
    chance = np.log1p((classes - 1) / count)  # exceeds the mean of the distribution's own samples (Jensen)
    if chance > LARGEST_CHANCE:
        warnings.warn(
            f"even of the distribution itself {count} samples of {classes} classes diverge by up to {chance:.2g} nats "
            "in the mean: take more.",
            stacklevel=3,
        )
    if strange := int(counts[expected == 0].sum()):
        warnings.warn(f"the divergence is infinite: samples of classes that the data lack: {strange}.", stacklevel=3)
    return divergence(counts / count, expected)


def _shares(frequencies, modes):
    shares = checks.finite("frequencies", frequencies).astype(np.float64)
    if shares.shape != (modes,) or not modes or shares.min() < 0 or abs(shares.sum() - 1) > 1e-6:
        raise InputError(
            f"frequencies of shape {shares.shape} sum to {shares.sum():.6g}: expected {modes} shares that sum to 1; "
            "divide counts by their sum."
        )
    return shares


def _squared(x, centers):
    return np.sum((x[:, None].astype(np.float64) - centers.astype(np.float64)) ** 2, 2)
