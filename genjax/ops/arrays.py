"""Shapes and labels of arrays."""

import jax
import jax.numpy as jnp


def flatten(x):
    """One row per example. Shapes: [B, ...] -> [B, N]."""
    return jax.lax.collapse(x, 1)


def one_hot(label, classes: int):
    """One-hot labels; NaN for a label outside 0 ... classes - 1, so that the loss is NaN and the run stops.

    Shapes: label int [...] -> [..., classes].
    """
    known = (label >= 0) & (label < classes)
    return jnp.where(known[..., None], jax.nn.one_hot(label, classes), jnp.nan)
