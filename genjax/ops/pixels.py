"""Pixels as they are stored and as nets take and give them: floats in the range of an output activation.

Stored pixels are uint8 or uint16. As numbers they are from 0 to 255 in either case, neither rounded nor clipped.
"""

import jax
import jax.numpy as jnp
import numpy as np

RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
"""Range of pixels by output activation. "linear" has none: its examples are points."""


LARGEST = {8: 255, 16: 65535}
"""White by bits per channel."""


def bits_of(x) -> int:
    """Bits per channel of stored pixels, 0 of floats."""
    return {jnp.uint8: 8, jnp.uint16: 16}.get(x.dtype.type, 0)


def to_float(x, output):
    """Stored pixels to floats in the range of `output` ("tanh", "sigmoid"); floats pass unchanged."""
    bits = bits_of(x)
    return scaled(x.astype(float), output, bits) if bits else x


def scaled(x, output, bits: int = 8):
    """Scale pixels from 0 to the white of `bits` to the range of `output`."""
    low, high = RANGES[output]
    return x * ((high - low) / LARGEST[bits]) + low


def to_numbers(x):
    """Stored pixels as float32 from 0 to 255; floats pass as float32. NumPy arrays stay on the host."""
    return x.astype(np.float32) * np.float32(1 / 257) if bits_of(x) == 16 else x.astype(np.float32)


def to_pixels(x, output):
    """The inverse of `to_float`, neither rounded nor clipped; "linear" outputs pass unchanged."""
    if output not in RANGES:
        return x
    low, high = RANGES[output]
    return (x - low) * (255 / (high - low))


def to_stored(x, output, bits: int = 8):
    """The inverse of `to_float`, rounded to the nearest level and clipped; "linear" outputs pass unchanged."""
    return quantize(to_pixels(x, output), bits) if output in RANGES else x


def quantize(x, bits: int = 8):
    """Numbers from 0 to 255 as stored pixels: rounded to the nearest level (ties to even), clipped.

    Shapes: [...], kept; NumPy arrays stay on the host, JAX arrays on their device.
    """
    xp = jnp if isinstance(x, jax.Array) else np
    if bits == 16:
        return xp.clip(xp.round(x * 257), 0, 65535).astype(np.uint16)
    return xp.clip(xp.round(x), 0, 255).astype(np.uint8)
