"""Pixels as they are stored (uint8) and as nets take and give them (floats in the range of an output activation)."""

import jax
import jax.numpy as jnp
import numpy as np

RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
"""Range of pixels by output activation. "linear" has none: its examples are points."""


def to_float(x, output):
    """uint8 pixels to floats in the range of `output` ("tanh", "sigmoid"); floats pass unchanged."""
    return scaled(x.astype(float), output) if x.dtype == jnp.uint8 else x


def scaled(x, output):
    """Scale pixels from 0 ... 255 to the range of `output`."""
    low, high = RANGES[output]
    return x * ((high - low) / 255) + low


def to_pixels(x, output):
    """The inverse of `to_float`, neither rounded nor clipped; "linear" outputs pass unchanged."""
    if output not in RANGES:
        return x
    low, high = RANGES[output]
    return (x - low) * (255 / (high - low))


def to_uint8(x, output):
    """The inverse of `to_float`, rounded to the nearest level and clipped; "linear" outputs pass unchanged."""
    return quantize(to_pixels(x, output)) if output in RANGES else x


def quantize(x):
    """Floats to uint8 pixels: rounded to the nearest level (ties to even), clipped to 0 ... 255.

    Shapes: [...], kept; NumPy arrays stay on the host, JAX arrays on their device.
    """
    xp = jnp if isinstance(x, jax.Array) else np
    return xp.clip(xp.round(x), 0, 255).astype(np.uint8)
