"""Share of examples that a classifier takes for what they are, or for what a model was asked to make."""

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks


def conditional_accuracy(probs, labels):
    """Share of examples whose likeliest class is their label; the first of equally likely ones counts.

    Of a conditional model's samples and a classifier of the data: do they show the class that was asked for?
    Shapes: probs [N, classes] (or logits), labels int [N] -> float in [0, 1].
    Raises: InputError for NaN, other lengths, or labels that are no class.
    """
    probs, labels = checks.table("probs", probs), np.asarray(labels)
    if labels.shape != (len(probs),) or labels.dtype.kind not in "ui":
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}: expected {len(probs)} whole numbers, one an example."
        )
    if labels.min() < 0 or labels.max() >= probs.shape[1]:
        raise InputError(f"labels go from {labels.min()} to {labels.max()}: expected 0 to {probs.shape[1] - 1}.")
    return float(np.mean(probs.argmax(1) == labels))
