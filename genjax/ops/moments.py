"""What a map says beside where it says it: the mean and the deviation of each channel over positions.

Source: arXiv:1703.06868, section 3.
"""

import jax.numpy as jnp

EPSILON = 1e-5
"""Added to variances, as in the paper's code: a channel that is the same everywhere has a deviation above zero."""


def moments(x):
    """Mean and deviation of channels over positions. Shapes: [B, H, W, C] -> two [B, 1, 1, C]. Source: eqs. 5, 6."""
    mean = x.mean((1, 2), keepdims=True)
    return mean, jnp.sqrt(jnp.square(x - mean).mean((1, 2), keepdims=True) + EPSILON)


def adain(x, y):
    """x with the moments of y by channel. Shapes: [B, H, W, C], [B, h, w, C] -> [B, H, W, C]. Source: eq. 8."""
    return with_moments(x, *moments(y))


def with_moments(x, mean, deviation):
    """x with another mean and deviation. Shapes: [B, H, W, C], two that broadcast to it -> [B, H, W, C]."""
    own_mean, own_deviation = moments(x)
    return (x - own_mean) / own_deviation * deviation + mean
