"""Large transposed convolutions with a stride as one plain convolution per place within the stride.

XLA computes them as a product into a buffer of all strokes, and a sum over it. Buffers of 32 MB and more go back to the
system after each call, and getting them again costs as much as the product. Measured with JAX 0.10.2, 2026-11: a step
of `configs/dcgan.py` at batch 128 from 281 to 170 ms; smaller outputs gain nothing. Plain twin: `conv_maps.T`.
"""

import jax.numpy as jnp
from jax import lax

from genjax.ops.conv_maps import Geometry, transposed_kernel
from genjax.ops.cpu.barrier import materialize

LARGE = 2**20
"""Numbers in the output, at least."""


def pays(g: Geometry, y, w) -> bool:
    """Whether `transpose` is faster; it is possible only for kernels that cover the stride, without dilation."""
    large = y.shape[0] * g.size[0] * g.size[1] * w.shape[2] >= LARGE
    possible = g.dilation == (1, 1) and all(k >= s for k, s in zip(g.kernel, g.stride, strict=True))
    return large and possible and max(g.stride) > 1


def transpose(g: Geometry, y, w):
    """The transposed convolution: every s-th output pixel along an axis meets the same entries of the kernel.

    Shapes: y [B, H', W', O], w [h, w, I, O] -> [B, H, W, I].
    """
    rows, columns = (list(_phases(*axis)) for axis in zip(g.size, g.out_size, g.kernel, g.stride, g.pads, strict=True))

    def phase(row, column):
        taps = materialize(transposed_kernel(w[row[0], column[0]]))
        pads = (row[1], column[1])
        return lax.conv_general_dilated(y, taps, (1, 1), pads, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    x = jnp.stack([jnp.stack([phase(row, column) for column in columns], 3) for row in rows], 2)
    x = x.reshape(x.shape[0], x.shape[1] * x.shape[2], x.shape[3] * x.shape[4], x.shape[5])
    return materialize(x[:, : g.size[0], : g.size[1]])


def _phases(size, out_size, kernel, stride, pads):
    """For each place within a stride, along one axis: the kernel entries that meet it, and the padding of y."""
    count = -(-size // stride)
    for place in range(stride):
        first = (place + pads[0]) % stride
        last = (place + pads[0]) // stride  # of y's pixels, the one that entry `first` lays on the first output pixel
        entries = len(range(first, kernel, stride))
        yield slice(first, kernel, stride), (entries - 1 - last, count + last - out_size)
