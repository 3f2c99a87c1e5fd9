"""Euclidean distances between two sets in float64, tile by tile, so that memory does not grow with their sizes."""

import numpy as np

TILE = 2048  # examples: 32 MiB of distances
COLUMNS = 2**14  # numbers of each example that are in memory in float64: 256 MiB per tile
RESOLUTION = 1e-14  # of the squared norms: the rounding of float32 features, well above that of the float64 sums here


def slices(size):
    """Consecutive slices of at most TILE that cover range(size)."""
    return [slice(start, min(start + TILE, size)) for start in range(0, size, TILE)]


def pairwise_sq(x, y, origin):
    """Squared distances of all pairs, as |x|^2 + |y|^2 - 2 x.y about `origin`, a point near both sets.

    The origin keeps the three terms from cancelling. Pairs nearer than `RESOLUTION` get a distance of zero.
    Shapes: x [N, D], y [M, D], origin [D] -> float64 [N, M].
    """
    norms = products = 0.0
    for start in range(0, x.shape[1], COLUMNS):
        part = slice(start, start + COLUMNS)
        near_x, near_y = (z[:, part].astype(np.float64) - origin[part] for z in (x, y))
        norms = norms + (np.sum(near_x**2, 1)[:, None] + np.sum(near_y**2, 1))
        products = products + near_x @ near_y.T
    squared = norms - 2 * products
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
