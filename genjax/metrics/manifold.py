"""Precision, recall, density and coverage. A manifold is a union of balls, each out to a point's k-th neighbor."""

from typing import NamedTuple

import numpy as np

from genjax.metrics import checks, distances


class PrecisionRecall(NamedTuple):
    """Share of fakes on the manifold of the reals, and share of reals on the manifold of the fakes."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Mean number of reals whose ball contains a fake, divided by k; and share of reals with a fake in their ball."""

    density: float
    coverage: float


def precision_recall(real, fake, k=3):
    """Improved precision and recall, with exact neighbors. A ball contains its surface.

    Shapes: real [N, D], fake [M, D] -> PrecisionRecall, each in [0, 1].
    Raises: InputError for widths that differ, NaN, or fewer than k + 1 examples.
    Source: arXiv:1904.06991, eq. 1 and 2.
    """
    real, fake, origin = _features(real, fake, k, k + 1)
    real_radii = distances.knn_radii_sq(real, k, origin)
    fake_radii = distances.knn_radii_sq(fake, k, origin)
    precise = np.zeros(len(fake), bool)
    recalled = np.zeros(len(real), bool)
    for rows in distances.slices(len(real)):
        for columns in distances.slices(len(fake)):
            squared = distances.pairwise_sq(real[rows], fake[columns], origin)
            precise[columns] |= (squared <= real_radii[rows, None]).any(0)
            recalled[rows] |= (squared <= fake_radii[columns]).any(1)
    return PrecisionRecall(float(precise.mean()), float(recalled.mean()))


def density_coverage(real, fake, k=5):
    """Density and coverage, which one outlier cannot raise. A ball excludes its surface, as in the authors' code.

    So the density of a set against itself is one; a real with k copies has an empty ball and is never covered.
    Shapes: real [N, D], fake [M, D] -> DensityCoverage; density is at least 0, coverage in [0, 1].
    Raises: InputError for widths that differ, NaN, no fakes, or fewer than k + 1 reals.
    Source: arXiv:2002.09797, section 3.
    """
    real, fake, origin = _features(real, fake, k, 1)
    radii = distances.knn_radii_sq(real, k, origin)
    inside = 0
    covered = np.zeros(len(real), bool)
    for rows in distances.slices(len(real)):
        for columns in distances.slices(len(fake)):
            within = distances.pairwise_sq(real[rows], fake[columns], origin) < radii[rows, None]
            inside += int(within.sum())
            covered[rows] |= within.any(1)
    return DensityCoverage(inside / (k * len(fake)), float(covered.mean()))


def _features(real, fake, k, least_fakes):
    checks.count("k", k)
    real = checks.table("real", real, k + 1)
    fake = checks.table("fake", fake, least_fakes)
    checks.same_width("real", real, "fake", fake)
    return real, fake, distances.center(real)
