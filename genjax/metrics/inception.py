"""Inception score: how certain a classifier's predictions are, and how varied. Source: arXiv:1606.03498."""

import warnings
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks

LARGEST_BIAS = 0.05
"""Share of the score, estimated, by which splits may be too small without a warning."""


class InceptionScore(NamedTuple):
    """Mean and standard deviation over the splits."""

    mean: float
    std: float


def inception_score(probs, splits=10, seed=None):
    """exp E KL(p(y|x) || p(y)), from 1 to the number of classes; the mean over splits of the samples.

    With a seed, the samples are sorted by their probabilities and then shuffled by NumPy's RandomState, so that the
    score does not depend on their order; without one, splits are consecutive.
    A split of n samples has a score of at most n. Its logarithm is biased down by approximately c / 2n, where c is the
    mean of sum (p(y|x) - p(y))^2 / p(y): (classes - 1) / 2n for sure and even predictions. Warns above LARGEST_BIAS.
    Shapes: probs [N, classes], rows summing to one -> InceptionScore.
    Raises: InputError for fewer than two samples per split, whose score is 1, NaN, or rows that are not probabilities.
    Source: arXiv:1606.03498, section 4.
    """
    from scipy.special import rel_entr

    checks.count("splits", splits)
    probs = checks.table("probs", probs)
    if len(probs) < 2 * splits:
        raise InputError(
            f"{splits} splits of {len(probs)} samples: expected at least {2 * splits}, because a split of one sample "
            "has a score of 1 whatever it shows."
        )
    probs = probs.astype(np.float64)
    if probs.min() < 0 or np.abs(probs.sum(1) - 1).max() > 1e-3:
        raise InputError(
            f"probs range over [{probs.min():.3g}, {probs.max():.3g}] and the first row sums to {probs[0].sum():.6g}: "
            "expected rows of probabilities that sum to 1; logits need a softmax first."
        )
    _warn_of_bias(probs, len(probs) // splits)
    if seed is not None:
        probs = _sorted(probs)[np.random.RandomState(seed).permutation(len(probs))]
    scores = [np.exp(rel_entr(part, part.mean(0)).sum(1).mean()) for part in _splits(probs, splits)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _warn_of_bias(probs, size):
    marginal = probs.mean(0)
    seen = marginal > 0
    spread = np.sum((np.mean(probs[:, seen] ** 2, 0) - marginal[seen] ** 2) / marginal[seen])
    bias = -np.expm1(-spread / (2 * size))
    if bias > LARGEST_BIAS:
        warnings.warn(
            f"splits of {size} samples make the score smaller by approximately {bias:.0%} (one of {size} has at most "
            f"{size}): take more samples.",
            stacklevel=3,
        )


def _sorted(probs):
    """The rows in the order of their numbers: big-endian bytes of positive floats compare as the floats do."""
    rows = np.ascontiguousarray(probs + 0.0, ">f8").view(f"V{8 * probs.shape[1]}")
    return probs[rows.ravel().argsort(kind="stable")]


def _splits(x, parts):
    edges = [i * len(x) // parts for i in range(parts + 1)]
    return [x[start:stop] for start, stop in pairwise(edges)]
