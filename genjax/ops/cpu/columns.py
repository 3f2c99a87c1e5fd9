"""Large convolutions over few channels, two columns of the output at once.

Products over few channels are small; with two neighboring columns as twice the output channels there are a third more
of them (for a kernel of three columns), but they are larger. Measured with JAX 0.10.2, 2026-11, batch 16: 64x64 pixels,
16 to 16 channels from 3.5 to 2.9 ms, 16 to 24 from 5.2 to 4.1, 24 to 24 from 6.2 to 5.4; 128x128 pixels, 16 to 8
channels from 14 to 9.0 ms. Plain twin: `conv_maps.C` of stride 1.
"""

import math

import jax.numpy as jnp
from jax import lax

from genjax.ops.cpu.barrier import materialize

LARGE = 2**20
"""Numbers in the output, at least."""

FEW = 24
"""Channels of input and output, at most."""


def pays(x, w, out_size: tuple[int, int]) -> bool:
    """Whether `convolve` is faster for this height and width of the output; only even widths are possible."""
    possible = w.shape[1] > 1 and x.dtype.itemsize >= 4 and out_size[1] % 2 == 0
    large = len(x) * math.prod(out_size) * w.shape[3] >= LARGE
    return possible and large and max(w.shape[2:]) <= FEW


def convolve(x, w, pads):
    """The convolution of stride 1. Shapes: x [B, H, W, I], w [h, w, I, O] -> [B, H', W', O], W' even."""
    w = jnp.stack([jnp.pad(w, ((0, 0), edge, (0, 0), (0, 0))) for edge in ((0, 1), (1, 0))], 3)
    w = materialize(w.reshape(*w.shape[:3], -1))
    y = lax.conv_general_dilated(x, w, (1, 2), pads, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y.reshape(*y.shape[:2], 2 * y.shape[2], y.shape[3] // 2)
