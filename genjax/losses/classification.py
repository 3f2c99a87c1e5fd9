"""The loss of classifiers."""

import optax


def cross_entropy(logits, labels):
    """Mean cross-entropy in nats; NaN for a label that is not less than `classes`, so that the run stops.

    Shapes: logits [B, classes], labels int [B] -> [].
    """
    return cross_entropies(logits, labels).mean()


def cross_entropies(logits, labels):
    """The cross-entropy of each example in nats. Shapes: logits [B, classes], labels int [B] -> [B]."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels)


def accuracy(logits, labels):
    """Share of examples whose largest logit is that of their label. Shapes: logits [B, classes], labels [B] -> []."""
    return (logits.argmax(1) == labels).mean()
