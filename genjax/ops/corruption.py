"""Corruptions of the inputs of denoising autoencoders."""

import jax.numpy as jnp

from genjax.ops import noise


def gaussian(key, x, amount):
    """Add normal noise with standard deviation `amount`. Shapes: x [B, ...] -> [B, ...], not clipped."""
    return x + amount * noise.normal(key, len(x), x.shape[1:])


def dropout(key, x, amount):
    """Zero each number with probability `amount`; scale the others by 1 / (1 - amount). Shapes: x [B, ...], kept."""
    return jnp.where(noise.bernoulli(key, 1 - amount, x.shape), x / (1 - amount), 0)


CORRUPTIONS = {"none": lambda key, x, amount: x, "gaussian": gaussian, "dropout": dropout}
