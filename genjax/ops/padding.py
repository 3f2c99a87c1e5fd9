"""Series of unequal length in one array: the steps after the end of a series are NaN.

The marks are part of the examples, so that batches and feeds need no lengths. A net that ignores them fails at once,
because NaN spreads, whereas it would learn from zeros unnoticed.
"""

import jax.numpy as jnp


def valid_mask(x):
    """True for steps that belong to a series, False for padding. Shapes: x [B, T, F] -> bool [B, T]."""
    return ~jnp.isnan(x).any(-1)


def copy_padding(y, x):
    """y with NaN where x is NaN. Shapes: y, x [B, ...], kept."""
    return jnp.where(jnp.isnan(x), jnp.nan, y)


def masked_mean(loss, x):
    """The mean of loss(x) over the numbers of x that are no padding. Padding contributes no value and no gradient.

    Every number has the same weight, so a long series has more than a short one.
    Shapes: loss [B, ...] -> [B, ...], x [B, ...] -> [].
    """
    known = ~jnp.isnan(x)
    return jnp.where(known, loss(jnp.where(known, x, 0)), 0).sum() / jnp.maximum(known.sum(), 1)


def mean_where(values, valid):
    """The mean of the numbers of steps that are valid. Shapes: values [B, T, ...], valid bool [B, T] -> []."""
    mask = valid.reshape(*valid.shape, *[1] * (values.ndim - 2))
    return jnp.where(mask, values, 0).sum() / jnp.maximum(mask.sum() * (values.size // valid.size), 1)
