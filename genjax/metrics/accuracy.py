"""Accuracy: the share of examples whose predicted class is their label."""

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks


def conditional_accuracy(probs, labels):
    """Share of examples whose most probable class is their label; of equal probabilities the first class counts.

    With samples of a conditional model and a classifier of the data, this is the share of samples of the class that
    was asked for.
    Shapes: probs [N, classes] (or logits), labels int [N] -> float in [0, 1].
    Raises: InputError for NaN, other lengths, or labels outside the classes.
    """
    probs = checks.table("probs", probs)
    labels = np.asarray(labels)
    if labels.shape != (len(probs),) or labels.dtype.kind not in "ui":
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}: expected {len(probs)} integers, one per example."
        )
    if labels.min() < 0 or labels.max() >= probs.shape[1]:
        raise InputError(f"labels go from {labels.min()} to {labels.max()}: expected 0 to {probs.shape[1] - 1}.")
    return float(np.mean(probs.argmax(1) == labels))
