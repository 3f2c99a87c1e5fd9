"""Reconstruction losses, one number per element."""

import jax.numpy as jnp

from genjax.ops.arrays import flatten


def bce(logits, x):
    """Binary cross-entropy -x log p - (1 - x) log(1 - p) with p = sigmoid(logits), in nats; finite for any logit.

    One exponential and one logarithm per element take a quarter of the time of two log-sigmoids on CPU.
    Shapes: [...], [...] -> [...].
    """
    return jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))


def mse(y, x):
    """Squared error. Shapes: [...], [...] -> [...]."""
    return jnp.square(y - x)


LOSSES = {"bce": bce, "mse": mse}
"""(y, x) -> loss per element, of a reconstruction y of x. "bce" takes logits, the others the activated output."""


def mean(loss, y, x):
    """The mean of loss(y, x) over all elements.

    Examples are flattened, because XLA's CPU backend sums four axes at a third of the speed of two.
    Shapes: [B, ...], [B, ...] -> [].
    """
    return loss(flatten(y), flatten(x)).mean()
