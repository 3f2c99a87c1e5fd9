"""Convolutions with a fixed 3x3 kernel in a quarter of the products: Winograd's F(4x4, 3x3).

A tile of 6x6 pixels and the kernel are transformed so that the convolution is a product element by element, from which
4x4 pixels come back: y = A^T [(G w G^T) * (B^T x B)] A. Summed over channels, that is 36 matrix products. In float32
the result is within about 1e-5 of its largest number.
Source: arXiv:1509.09308, section 4.3.

Measured with JAX 0.10.2, 2026-11: 61x61 pixels, 256 channels from 23 to 9 ms, the gradient from 24 to 11; 32x32
pixels, 512 channels from 25 to 11, the gradient from 26 to 13. Kernels are transformed outside the loop:
within it XLA would do that at each step. Plain twin: `genjax.ops.conv.conv`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from genjax.ops.cpu.barrier import materialize

B = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
G = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
A = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
"""The paper's B^T, G and A^T."""

SIDE = 4
"""Pixels along a side of a tile's output; its input has two more, which it shares with the next tile."""


class Kernel(NamedTuple):
    """G w G^T, four times as large as w, and its transpose for the gradient, which XLA would make at each use."""

    forward: jax.Array  # [36, I, O]
    backward: jax.Array  # [36, O, I]


def transform(w) -> Kernel:
    """The transformed kernel. Shapes: w [3, 3, I, O]."""
    w = jnp.stack(_products(G, jnp.unstack(w)))
    w = jnp.stack(_products(G, jnp.unstack(w, axis=1)), 1)
    w = w.reshape(-1, *w.shape[2:])
    return Kernel(w, w.swapaxes(1, 2))


def conv(x, kernel: Kernel, padding: str = "SAME"):
    """`genjax.ops.conv.conv` of stride 1, with a kernel from `transform`.

    Shapes: x [N, H, W, I] -> [N, H, W, O], or [N, H - 2, W - 2, O] for padding "VALID".
    """
    edge = 1 if padding == "SAME" else 0
    height, width = (n - 2 + 2 * edge for n in x.shape[1:3])
    rows, columns = (-(-n // SIDE) for n in (height, width))
    ends = [(edge, SIDE * (tiles + 1) - n - edge) for n, tiles in zip(x.shape[1:3], (rows, columns), strict=True)]
    x = jnp.pad(x, ((0, 0), *ends, (0, 0)))
    x = _tiles(_tiles(x, 2), 2)  # [6, 6, N, rows, columns, I]
    y = _multiply(x.reshape(len(kernel.forward), -1, x.shape[-1]), kernel)
    y = y.reshape(*x.shape[:-1], y.shape[-1])
    y = jnp.stack(_products(A, [jnp.stack(_products(A, jnp.unstack(row)), 3) for row in jnp.unstack(y)]), 2)
    y = y.reshape(y.shape[0], SIDE * rows, SIDE * columns, y.shape[-1])
    return materialize(y)[:, :height, :width]


def _products(matrix, parts):
    """A small matrix times a vector of arrays."""
    return [sum(number * part for number, part in zip(row, parts, strict=True) if number) for row in matrix]


def _tiles(x, axis):
    """B^T times the six pixels of each tile along an axis, which becomes the axis of tiles; the six come first."""
    x = jnp.unstack(x.reshape(*x.shape[:axis], -1, SIDE, *x.shape[axis + 1 :]), axis=axis + 1)
    own = [lax.slice_in_dim(part, 0, -1, axis=axis) for part in x]
    next_ones = [lax.slice_in_dim(part, 1, None, axis=axis) for part in x[:2]]
    return jnp.stack(_products(B, own + next_ones))


@jax.custom_vjp
def _multiply(x, kernel):
    return materialize(materialize(x) @ kernel.forward)


def _backward(residuals, y):
    x, kernel = residuals
    y = materialize(y)
    w = Kernel(x.swapaxes(1, 2) @ y, jnp.zeros_like(kernel.backward))
    return materialize(y @ kernel.backward), w


_multiply.defvjp(lambda x, kernel: (_multiply(x, kernel), (x, kernel)), _backward)
