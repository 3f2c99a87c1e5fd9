"""Maximum pooling whose gradient costs what it should.

The gradient that autodiff writes (a scatter on XLA's CPU backend) takes six times as long; docs/performance.md.
"""

from functools import partial

import jax
import jax.numpy as jnp


def max_pool(x, size: int = 2):
    """The largest of each size x size window, windows side by side; rows and columns left over are dropped.

    Of equals the first takes the gradient, as in PyTorch and TensorFlow; NaN wins, as in `jnp.max`.
    Shapes: [B, H, W, C] -> [B, H // size, W // size, C].
    """
    return _max_pool(size, x)


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
