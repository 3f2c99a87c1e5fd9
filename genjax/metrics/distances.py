"""Euclidean distances between two sets in float64, tile by tile, so that memory does not grow with both sizes."""

import numpy as np

TILE = 2048  # examples: 32 MiB of distances
RESOLUTION = 1e-14  # of the squared norms: the rounding of float32 features, well above that of the float64 sums here


def slices(size):
    """Consecutive slices of at most TILE that cover range(size)."""
    return [slice(start, min(start + TILE, size)) for start in range(0, size, TILE)]


def pairwise_sq(x, y, origin):
    """Squared distances of all pairs, as |x|^2 + |y|^2 - 2 x.y about `origin`, a point near both sets.

    The origin keeps the three terms from cancelling. Pairs nearer than `RESOLUTION` get a distance of zero.
    Shapes: x [N, D], y [M, D], origin [D] -> float64 [N, M].
    """
    x = x.astype(np.float64) - origin
    y = y.astype(np.float64) - origin
    norms = np.sum(x**2, 1)[:, None] + np.sum(y**2, 1)
    squared = norms - 2 * (x @ y.T)
    squared[squared < RESOLUTION * norms] = 0
    return squared


def center(x):
    """The mean example in float64. Shapes: [N, D] -> [D]."""
    return x.mean(0, dtype=np.float64)


def knn_radii_sq(x, k, origin):
    """Squared distance of each example to its k-th nearest neighbor among the others. Shapes: [N, D] -> [N]."""
    radii = np.empty(len(x))
    for rows in slices(len(x)):
        nearest = np.empty((rows.stop - rows.start, 0))
        for columns in slices(len(x)):
            squared = pairwise_sq(x[rows], x[columns], origin)
            if rows == columns:
                np.fill_diagonal(squared, np.inf)
            nearest = k_smallest(np.hstack([nearest, squared]), k)
        radii[rows] = nearest.max(1)
    return radii


def k_smallest(values, k):
    """The k smallest values per row, in any order; all where there are fewer. Shapes: [N, M] -> [N, min(k, M)]."""
    return np.partition(values, k - 1)[:, :k] if values.shape[1] > k else values
