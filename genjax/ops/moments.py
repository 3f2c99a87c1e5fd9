"""Per-channel mean and standard deviation of a feature map. Source: arXiv:1703.06868, section 3."""

import jax.numpy as jnp

EPSILON = 1e-5
"""Added to variances, as in the paper's code, so that a constant channel has a standard deviation above zero."""


def moments(x):
    """Mean and standard deviation per channel, over positions.

    Shapes: [B, H, W, C] -> two [B, 1, 1, C]. Source: eqs. 5, 6.
    """
    mean = x.mean((1, 2), keepdims=True)
    return mean, jnp.sqrt(jnp.square(x - mean).mean((1, 2), keepdims=True) + EPSILON)


def adaptive_instance_norm(x, y):
    """x with the moments of y. Shapes: [B, H, W, C], [B, h, w, C] -> [B, H, W, C]. Source: eq. 8."""
    return with_moments(x, *moments(y))


def with_moments(x, mean, deviation, own=None):
    """x with the given mean and standard deviation, in place of its own ones, or of `own` of a map that x is a part of.

    Shapes: [B, H, W, C], two that broadcast to it -> [B, H, W, C].
    """
    own_mean, own_deviation = moments(x) if own is None else own
    return (x - own_mean) / own_deviation * deviation + mean
