"""Upsampling and downsampling by two, and antialiasing filters.

Shapes: x [B, H, W, C] throughout.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

from genjax.errors import InputError

BINOMIAL = (1, 2, 1)
"""StyleGAN's filter (arXiv:1812.04948, section 2.1, bilinear sampling)."""

SMOOTH = (1, 3, 3, 1)
"""StyleGAN2's filter of all up- and downsampling, as in its authors' code."""


def upsample2x(x):
    """Nearest-neighbor upsampling: each pixel becomes a block of 2 x 2. Shapes: -> [B, 2H, 2W, C]."""
    batch, height, width, channels = x.shape
    x = jnp.broadcast_to(x[:, :, None, :, None], (batch, height, 2, width, 2, channels))
    return x.reshape(batch, 2 * height, 2 * width, channels)


def downsample2x(x):
    """The mean of each block of 2 x 2. Shapes: -> [B, H/2, W/2, C]. Raises: InputError for an odd side."""
    batch, height, width, channels = x.shape
    if height % 2 or width % 2:
        raise InputError(f"{height}x{width} pixels cannot be halved: expected even sides")
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def downsample_to(x, side: int):
    """Halve images until their height is `side`. Shapes: -> [B, side, side, C]."""
    while x.shape[1] > side:
        x = downsample2x(x)
    return x


def upfirdn2d(x, taps=BINOMIAL, up: int = 1, down: int = 1, widen: int = 0):
    """Filter both axes, after inserting `up` - 1 zeros behind each pixel and before keeping every `down`-th pixel.

    The taps are scaled to sum to `up`, so that a constant is preserved except near the border, beyond which are zeros.
    `widen` adds pixels to each side, or removes some, for a convolution that follows.
    Shapes: -> [B, (H up + widen) / down, (W up + widen) / down, C].
    Source: upfirdn of arXiv:1912.04958, for symmetric taps.
    """
    taps = up * np.asarray(taps, float) / np.sum(taps)
    spare = len(taps) - max(up, down) + widen
    low, high = (spare + 1) // 2 + up - 1, spare // 2
    for axis in (1, 2):
        edges = [(0, 0, 0)] * 4
        edges[axis] = low, high + up - 1, up - 1
        padded = lax.pad(x, jnp.zeros((), x.dtype), edges)
        end = padded.shape[axis] - len(taps) + 1
        x = sum(tap * lax.slice_in_dim(padded, i, i + end, down, axis) for i, tap in enumerate(taps.tolist()))
    return x
