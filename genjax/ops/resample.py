"""Twice as many pixels or half as many, and filters against what that does to edges.

Shapes: x [B, H, W, C] throughout.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

from genjax.errors import InputError

BINOMIAL = (1, 2, 1)
"""StyleGAN's filter (arXiv:1812.04948, section 2.1, bilinear sampling)."""

SMOOTH = (1, 3, 3, 1)
"""StyleGAN2's, whatever is enlarged or shrunk, as its authors' code has it."""


def upsample2x(x):
    """Each pixel as a block of 2 x 2: nearest neighbors. Shapes: -> [B, 2H, 2W, C]."""
    batch, height, width, channels = x.shape
    x = jnp.broadcast_to(x[:, :, None, :, None], (batch, height, 2, width, 2, channels))
    return x.reshape(batch, 2 * height, 2 * width, channels)


def downsample2x(x):
    """The mean of each block of 2 x 2. Shapes: -> [B, H/2, W/2, C]. Raises: InputError for an odd side."""
    batch, height, width, channels = x.shape
    if height % 2 or width % 2:
        raise InputError(f"{height}x{width} pixels have no half: expected even sides")
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def downsample_to(x, side: int):
    """Halved as often as it takes. Shapes: -> [B, side, side, C]."""
    while x.shape[1] > side:
        x = downsample2x(x)
    return x


def upfirdn2d(x, taps=BINOMIAL, up: int = 1, down: int = 1, widen: int = 0):
    """Filter both axes, after putting `up` - 1 zeros behind each pixel and before keeping every `down`-th.

    The taps are scaled to sum to `up`, so that a constant stays what it is but near the border, beyond which are zeros.
    `widen` adds pixels (or takes some away) for a convolution to use up.
    Shapes: -> [B, (H up + widen) / down, (W up + widen) / down, C].
    Source: arXiv:1912.04958's upfirdn, of taps that read the same both ways.
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
