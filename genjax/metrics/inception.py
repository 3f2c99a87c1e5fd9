"""Inception score: how certain a classifier's predictions are, and how varied. Source: arXiv:1606.03498."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

from genjax.errors import InputError
from genjax.metrics import checks


class InceptionScore(NamedTuple):
    """Mean and standard deviation over the splits."""

    mean: float
    std: float


def inception_score(probs, splits=10):
    """exp E KL(p(y|x) || p(y)), from 1 to the number of classes; the mean over consecutive splits of the samples.

    Shapes: probs [N, classes], rows summing to one -> InceptionScore.
    Raises: InputError for fewer samples than splits, NaN, or rows that are not probabilities.
    Source: arXiv:1606.03498, section 4. A split with few samples per class has a score that is biased down.
    """
    checks.count("splits", splits)
    probs = checks.table("probs", probs, rows=splits).astype(np.float64)
    if probs.min() < 0 or np.abs(probs.sum(1) - 1).max() > 1e-3:
        raise InputError(
            f"probs range over [{probs.min():.3g}, {probs.max():.3g}] and the first row sums to {probs[0].sum():.6g}: "
            "expected rows of probabilities that sum to 1; logits need a softmax first."
        )
    scores = [np.exp(rel_entr(part, part.mean(0)).sum(1).mean()) for part in _splits(probs, splits)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _splits(x, parts):
    edges = [i * len(x) // parts for i in range(parts + 1)]
    return [x[start:stop] for start, stop in pairwise(edges)]
