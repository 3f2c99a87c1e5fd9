"""Pooling written as slices of the map, one for each place in a window.

XLA's CPU backend is several times slower on its own windowed reductions, and on the gradient (a scatter) that
autodiff writes for them; docs/performance.md.
"""

from functools import partial, reduce

import jax
import jax.numpy as jnp


def max_pool(x, size: int = 2):
    """The largest of each size x size window, windows side by side; rows and columns left over are dropped.

    Of equals the first takes the gradient, as in PyTorch and TensorFlow; NaN wins, as in `jnp.max`.
    Shapes: [B, H, W, C] -> [B, H // size, W // size, C].
    """
    return _max_pool(size, x)


def overlapping_max_pool(x, size: int = 3, stride: int = 2, edge: int = 0):
    """The largest of each size x size window, one every `stride` <= size pixels of a map with `edge` more on all sides.

    The last windows are cut short by the border, so that no pixel is left over: Caffe's pooling, PyTorch's ceil mode.
    Where several are the largest, they share the gradient.
    Shapes: [B, H, W, C] -> [B, ceil((H + 2 edge - size) / stride) + 1, ceil((W + 2 edge - size) / stride) + 1, C].
    """
    counts = [-(-(n + 2 * edge - size) // stride) + 1 for n in x.shape[1:3]]
    ends = [max((k - 1) * stride + size - n - edge, 0) for k, n in zip(counts, x.shape[1:3], strict=True)]
    x = jnp.pad(x, ((0, 0), *((edge, end) for end in ends), (0, 0)), constant_values=-jnp.inf)
    return reduce(jnp.maximum, _taps(x, counts, size, stride))


def average_pool(x, size: int = 2):
    """The mean of each size x size window, windows side by side. Shapes: [B, H, W, C] -> [B, H / size, W / size, C]."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // size, size, width // size, size, channels).mean((2, 4))


def mean_pool(x, size: int = 3):
    """The mean of each size x size window, side by side at every pixel; what lies beyond the edge does not count.

    Shapes: [B, H, W, C] -> [B, H, W, C], for odd sizes.
    """
    edge = size // 2
    total, count = (
        sum(_taps(jnp.pad(a, ((0, 0), (edge, edge), (edge, edge), (0, 0))), x.shape[1:3], size, 1))
        for a in (x, jnp.ones((1, *x.shape[1:3], 1), x.dtype))
    )
    return total / count


def _taps(x, counts, size, stride):
    """The pixels at each place of the windows, of which there are counts[0] x counts[1]: [B, *counts, C]."""
    rows, columns = ([slice(k, k + (n - 1) * stride + 1, stride) for k in range(size)] for n in counts)
    return [x[:, i, j] for i in rows for j in columns]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _max_pool(size, x):
    return _forward(size, x)[0]


def _forward(size, x):
    height, width = (n // size * size for n in x.shape[1:3])
    taps = [x[:, i:height:size, j:width:size] for i in range(size) for j in range(size)]
    best, place = taps[0], jnp.zeros(taps[0].shape, jnp.uint8)
    for number, tap in enumerate(taps[1:], 1):
        holds = (best >= tap) | jnp.isnan(best)
        best, place = jnp.where(holds, best, tap), jnp.where(holds, place, number).astype(jnp.uint8)
    return best, (place, x.shape)


def _backward(size, kept, g):
    place, (batch, height, width, channels) = kept
    rows, columns = height // size, width // size
    number = jnp.arange(size * size, dtype=jnp.uint8).reshape(1, 1, size, 1, size, 1)
    x = jnp.where(place[:, :, None, :, None] == number, g[:, :, None, :, None], 0)
    x = x.reshape(batch, rows * size, columns * size, channels)
    left = ((0, 0), (0, height - rows * size), (0, width - columns * size), (0, 0))
    return (jnp.pad(x, left) if any(map(any, left)) else x,)


_max_pool.defvjp(_forward, _backward)
