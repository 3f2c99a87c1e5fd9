"""What a denoising autoencoder is to undo."""

import jax.numpy as jnp

from genjax.ops import noise


def gaussian(key, x, amount):
    """Normal noise of standard deviation `amount` added. Shapes: x [B, ...] -> [B, ...], not clipped."""
    return x + amount * noise.normal(key, len(x), x.shape[1:])


def dropout(key, x, amount):
    """Each number zero with probability `amount`, the others scaled by 1 / (1 - amount). Shapes: x [B, ...], kept."""
    return jnp.where(noise.bernoulli(key, 1 - amount, x.shape), x / (1 - amount), 0)


CORRUPTIONS = {"none": lambda key, x, amount: x, "gaussian": gaussian, "dropout": dropout}
