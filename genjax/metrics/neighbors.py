"""Nearest training examples of samples, which show whether a model has memorized its data."""

from typing import NamedTuple

import numpy as np

from genjax.metrics import blocks, checks, distances


class Neighbors(NamedTuple):
    """The nearest examples of each sample, nearest first: indices int64 [N, k], distances float64 [N, k]."""

    indices: np.ndarray
    distances: np.ndarray


def nearest_neighbors(samples, train, k=1):
    """The k training examples nearest to each sample in Euclidean distance; a copy's distance is exactly zero.

    Of equal distances any may be taken. Memory for distances does not grow with either set.
    Shapes: samples [N, ...], train [M, ...] -> Neighbors, distances in units of the examples.
    Raises: InputError for examples of different sizes, NaN, or fewer than k training examples.
    """
    checks.count("k", k)
    samples, train = checks.table("samples", samples), checks.table("train", train, k)
    checks.same_width("samples", samples, "train", train)
    origin = distances.center(train)
    tiles = [_nearest(samples[rows], train, k, origin) for rows in distances.slices(len(samples))]
    return Neighbors(*(np.concatenate(parts) for parts in zip(*tiles, strict=True)))


def _nearest(samples, train, k, origin):
    squared = np.empty((len(samples), 0))
    indices = np.empty((len(samples), 0), np.int64)
    for columns in distances.slices(len(train)):
        new = distances.pairwise_sq(samples, train[columns], origin)
        numbers = np.broadcast_to(np.arange(columns.start, columns.stop), new.shape)
        squared = np.hstack([squared, new])
        indices = np.hstack([indices, numbers])
        order = np.argpartition(squared, k - 1)[:, :k] if squared.shape[1] > k else np.argsort(squared)
        squared, indices = (np.take_along_axis(z, order, 1) for z in (squared, indices))
    exact = [_exact(samples, train, indices[:, place]) for place in range(k)]
    return _sorted(indices, np.stack(exact, 1))


def _exact(x, train, nearest):
    parts = blocks.slices(len(x), x.shape[1:], len(x))
    pairs = ((x[part].astype(np.float64), train[nearest[part]].astype(np.float64)) for part in parts)
    return np.concatenate([np.sqrt(np.sum((a - b) ** 2, 1)) for a, b in pairs])


def _sorted(indices, lengths):
    order = np.lexsort((indices, lengths))
    return np.take_along_axis(indices, order, 1), np.take_along_axis(lengths, order, 1)
