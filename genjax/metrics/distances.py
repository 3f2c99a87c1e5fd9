"""Euclidean distances between two sets, a tile at a time in float64: memory does not grow with the product of sizes."""

import numpy as np

TILE = 2048  # examples: 32 MiB of distances
SAME = 1e-14  # of the squared norms: the rounding of float32 features, and above that of the float64 sums here


def slices(size):
    """Consecutive slices that cover range(size)."""
    return [slice(start, min(start + TILE, size)) for start in range(0, size, TILE)]


def pairwise_sq(x, y, origin):
    """Squared distances of each of x to each of y.

    |x|^2 + |y|^2 - 2 x.y about an `origin` near both, lest it cancel; pairs nearer than `SAME` are equal, at zero.
    Shapes: x [N, D], y [M, D], origin [D] -> float64 [N, M].
    """
    x, y = (z.astype(np.float64) - origin for z in (x, y))
    norms = np.sum(x**2, 1)[:, None] + np.sum(y**2, 1)
    squared = norms - 2 * (x @ y.T)
    squared[squared < SAME * norms] = 0
    return squared


def center(x):
    """The mean example, in float64. Shapes: [N, D] -> [D]."""
    return x.mean(0, dtype=np.float64)


def knn_radii(x, k, origin):
    """Squared distance of each to its k-th nearest among the others. Shapes: [N, D] -> [N]."""
    found = np.empty(len(x))
    for rows in slices(len(x)):
        nearest = np.empty((rows.stop - rows.start, 0))
        for columns in slices(len(x)):
            squared = pairwise_sq(x[rows], x[columns], origin)
            if rows == columns:
                np.fill_diagonal(squared, np.inf)
            nearest = smallest(np.hstack([nearest, squared]), k)
        found[rows] = nearest.max(1)
    return found


def smallest(values, k):
    """The k smallest of each row, in any order, or all where there are fewer. Shapes: [N, M] -> [N, min(k, M)]."""
    return np.partition(values, k - 1)[:, :k] if values.shape[1] > k else values
