"""Pooling: the largest number or the mean of each window, in plain `lax`, or on CPU as `genjax.ops.cpu.pooling`."""

import jax.numpy as jnp
from jax import lax

from genjax.ops import backend
from genjax.ops.cpu import pooling


def max_pool(x, size: int = 2):
    """The largest of each size x size window, windows side by side; rows and columns left over are dropped.

    The first of equal ones takes the gradient, as in PyTorch and TensorFlow; NaN wins, as in `jnp.max`.
    Shapes: [B, H, W, C] -> [B, H // size, W // size, C].
    """
    if backend.slices_windows():
        return pooling.max_pool(size, x)
    window = (1, size, size, 1)
    return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")


def overlapping_max_pool(x, size: int = 3, stride: int = 2, edge: int = 0):
    """The largest of each size x size window, one per `stride` <= size pixels of a map with `edge` more on all sides.

    The last windows are cut short by the border, so no pixel is left over: Caffe's pooling, PyTorch's ceil mode.
    Of equal ones the first takes the gradient; on CPU they share it.
    Shapes: [B, H, W, C] -> [B, ceil((H + 2 edge - size) / stride) + 1, ceil((W + 2 edge - size) / stride) + 1, C].
    """
    counts = [-(-(n + 2 * edge - size) // stride) + 1 for n in x.shape[1:3]]
    ends = [max((k - 1) * stride + size - n - edge, 0) for k, n in zip(counts, x.shape[1:3], strict=True)]
    pads = [(edge, end) for end in ends]
    if backend.slices_windows():
        return pooling.overlapping_max_pool(x, size, stride, pads, counts)
    pads = ((0, 0), *pads, (0, 0))
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, size, size, 1), (1, stride, stride, 1), pads)


def average_pool(x, size: int = 2):
    """The mean of each size x size window, windows side by side. Shapes: [B, H, W, C] -> [B, H / size, W / size, C]."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // size, size, width // size, size, channels).mean((2, 4))


def mean_pool(x, size: int = 3):
    """The mean of each size x size window, one at every pixel; pixels beyond the edge do not count.

    Shapes: [B, H, W, C] -> [B, H, W, C], for odd sizes.
    """
    ones = jnp.ones((1, *x.shape[1:3], 1), x.dtype)
    return _sum_pool(x, size) / _sum_pool(ones, size)


def _sum_pool(x, size):
    if backend.slices_windows():
        return pooling.sum_pool(x, size)
    return lax.reduce_window(x, 0.0, lax.add, (1, size, size, 1), (1, 1, 1, 1), "SAME")
