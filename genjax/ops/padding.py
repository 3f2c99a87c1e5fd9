"""Series of unequal length in one array: the steps after a series' end are NaN.

The mark travels inside the examples, so batches, feeds and checkpoints need to know nothing of it; and a net that does
not look for it fails at once, since NaN spreads, where it would learn from zeros without a word.
"""

import jax.numpy as jnp


def valid_mask(x):
    """Which steps belong to a series. Shapes: x [B, T, F] -> bool [B, T]."""
    return ~jnp.isnan(x).any(-1)


def copy_padding(y, x):
    """y, with the marks of x in it. Shapes: y, x [B, ...], kept."""
    return jnp.where(jnp.isnan(x), jnp.nan, y)


def masked_mean(loss, x):
    """The mean of loss(x) over the numbers of x that are no padding, where padding has neither value nor slope.

    Every number counts the same, so a long series counts for more than a short one. Shapes: x [B, ...] -> [].
    """
    known = ~jnp.isnan(x)
    return jnp.where(known, loss(jnp.where(known, x, 0)), 0).sum() / jnp.maximum(known.sum(), 1)
