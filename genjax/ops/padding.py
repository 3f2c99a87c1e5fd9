"""Series of unequal length in one array: the steps after a series' end are NaN.

The mark is inside the examples, so batches, feeds and checkpoints need no masks. A net that ignores it fails at once,
because NaN spreads, instead of silently learning from zeros.
"""

import jax.numpy as jnp


def valid_mask(x):
    """A mask of the steps that belong to a series. Shapes: x [B, T, F] -> bool [B, T]."""
    return ~jnp.isnan(x).any(-1)


def copy_padding(y, x):
    """y with NaN wherever x is NaN. Shapes: y, x [B, ...], kept."""
    return jnp.where(jnp.isnan(x), jnp.nan, y)


def masked_mean(loss, x):
    """The mean of loss(x) over the numbers of x that are not padding; padding has no gradient.

    All numbers have equal weight, so a long series has more weight than a short one. Shapes: x [B, ...] -> [].
    """
    known = ~jnp.isnan(x)
    return jnp.where(known, loss(jnp.where(known, x, 0)), 0).sum() / jnp.maximum(known.sum(), 1)
