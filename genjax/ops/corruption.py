"""Corruptions of the input of a denoising autoencoder in training."""

import jax.numpy as jnp

from genjax.ops import noise


def gaussian(key, x, amount):
    """Add normal noise of standard deviation `amount`; not clipped. Shapes: x [B, ...], kept."""
    return x + amount * noise.normal(key, len(x), x.shape[1:])


def dropout(key, x, amount):
    """Zero each number with probability `amount`, scale the others by 1 / (1 - amount). Shapes: x [B, ...], kept."""
    return jnp.where(noise.bernoulli(key, 1 - amount, x.shape), x / (1 - amount), 0)


def none(key, x, amount):
    """x unchanged."""
    return x


CORRUPTIONS = {"none": none, "gaussian": gaussian, "dropout": dropout}
"""(key, x, amount) -> corrupted x."""
