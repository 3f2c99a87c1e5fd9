"""How much of one set lies on the other's manifold, a union of balls that reach to each point's k-th neighbor."""

from typing import NamedTuple

import numpy as np

from genjax.metrics import checks, distances


class PrecisionRecall(NamedTuple):
    """Shares of the fakes on the reals' manifold and of the reals on the fakes'."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Mean number of reals' balls a fake is in, over k; and share of reals with a fake in their ball."""

    density: float
    coverage: float


def precision_recall(real, fake, k=3):
    """Improved precision and recall, with exact neighbors. A ball contains its surface.

    Shapes: real [N, D], fake [M, D] -> PrecisionRecall, each in [0, 1].
    Raises: InputError for widths that differ, NaN, or fewer than k + 1 examples.
    Source: arXiv:1904.06991, eq. 1 and 2.
    """
    real, fake, origin = _features(real, fake, k, k + 1)
    of_real, of_fake = distances.knn_radii(real, k, origin), distances.knn_radii(fake, k, origin)
    hit, met = np.zeros(len(fake), bool), np.zeros(len(real), bool)
    for rows in distances.slices(len(real)):
        for columns in distances.slices(len(fake)):
            squared = distances.pairwise_sq(real[rows], fake[columns], origin)
            hit[columns] |= (squared <= of_real[rows, None]).any(0)
            met[rows] |= (squared <= of_fake[columns]).any(1)
    return PrecisionRecall(float(hit.mean()), float(met.mean()))


def density_coverage(real, fake, k=5):
    """Density and coverage, which one outlier cannot raise. A ball is without its surface, as its authors count.

    So the density of a set in itself is one; a real with k copies has an empty ball, and is never covered.
    Shapes: real [N, D], fake [M, D] -> DensityCoverage; density is at least 0, coverage in [0, 1].
    Raises: InputError for widths that differ, NaN, no fakes, or fewer than k + 1 reals.
    Source: arXiv:2002.09797, section 3.
    """
    real, fake, origin = _features(real, fake, k, 1)
    squared_radii = distances.knn_radii(real, k, origin)
    inside, covered = 0, np.zeros(len(real), bool)
    for rows in distances.slices(len(real)):
        for columns in distances.slices(len(fake)):
            within = distances.pairwise_sq(real[rows], fake[columns], origin) < squared_radii[rows, None]
            inside += int(within.sum())
            covered[rows] |= within.any(1)
    return DensityCoverage(inside / (k * len(fake)), float(covered.mean()))


def _features(real, fake, k, fakes):
    checks.count("k", k)
    real, fake = checks.table("real", real, k + 1), checks.table("fake", fake, fakes)
    checks.same_width("real", real, "fake", fake)
    return real, fake, distances.center(real)
