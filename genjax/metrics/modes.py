"""How many of a distribution's modes samples reach, and how evenly. Source: arXiv:1712.04086 (PacGAN), section 4."""

from typing import NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks, distances


class Modes(NamedTuple):
    """Modes with a good sample in them, the share of good samples, and KL(samples' modes || distribution's) in nats."""

    covered: int
    high_quality: float
    kl: float


class Classes(NamedTuple):
    """Classes that occur among the samples, and KL(samples' classes || data's) in nats."""

    covered: int
    kl: float


def count_modes(x, centers, std, frequencies=None):
    """Modes of a mixture of round Gaussians that samples cover; a sample is good within 3 std of a center.

    Each sample, good or not, belongs to its nearest center; the divergence is over those. Of a plane's own Gaussians
    1 - exp(-9/2) = 98.9 % are good. For `ring8` and `grid25`: `distribution = mixture(name)`, then `distribution.centers, distribution.std`.
    The paper counts 2,500 samples.
    Shapes: x [N, D], centers [modes, D], frequencies [modes] (None: all alike) -> Modes.
    Raises: InputError for widths that differ, NaN, std not above 0, or frequencies that do not sum to one.
    """
    x, centers = checks.table("x", x), checks.table("centers", centers)
    checks.same_width("x", x, "centers", centers)
    if not std > 0:
        raise InputError(f"std is {std!r}: expected the modes' standard deviation, above 0.")
    modes = len(centers)
    distribution = _law(np.full(modes, 1 / modes) if frequencies is None else frequencies, modes)
    squared = np.vstack([_squared(x[rows], centers) for rows in distances.slices(len(x))])
    nearest, good = squared.argmin(1), squared.min(1) <= (3 * std) ** 2
    counts = np.bincount(nearest, minlength=modes)
    return Modes(len(np.unique(nearest[good])), float(good.mean()), divergence(counts / len(x), distribution))


def count_classes(labels, frequencies):
    """Classes that a classifier finds among samples, of those the data have.

    Three stacked digits [N, 3] are the labels `digits @ [100, 10, 1]` of 1,000 classes.
    Shapes: labels int [N], frequencies [classes], the data's shares -> Classes.
    Raises: InputError for labels that are no class, or frequencies that do not sum to one.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not len(labels) or labels.dtype.kind not in "ui":
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}: expected whole numbers [N]; argmax first."
        )
    distribution = _law(frequencies, np.size(frequencies))
    if labels.min() < 0 or labels.max() >= len(distribution):
        raise InputError(f"labels go from {labels.min()} to {labels.max()}: expected 0 to {len(distribution) - 1}.")
    counts = np.bincount(labels, minlength=len(distribution))
    return Classes(int(np.count_nonzero(counts)), divergence(counts / len(labels), distribution))


def divergence(p, q):
    """KL(p || q) in nats; infinite where p has what q lacks. Shapes: [K], [K] -> float."""
    here = p > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(p[here] * (np.log(p[here]) - np.log(q[here]))))


def _law(frequencies, modes):
    distribution = checks.finite("frequencies", frequencies).astype(np.float64)
    if distribution.shape != (modes,) or not modes or distribution.min() < 0 or abs(distribution.sum() - 1) > 1e-6:
        raise InputError(
            f"frequencies of shape {distribution.shape} sum to {distribution.sum():.6g}: expected {modes} shares that sum to 1; "
            "divide counts by their sum."
        )
    return distribution


def _squared(x, centers):
    return np.sum((x[:, None].astype(np.float64) - centers.astype(np.float64)) ** 2, 2)
