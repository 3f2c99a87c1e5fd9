"""Operands for the tests of convolutions."""

import jax.numpy as jnp
import numpy as np

from genjax.ops.conv import geometry

CASES = [
    ((7, 6), (3, 3), (1, 1), "SAME", (1, 1)),
    ((8, 7), (5, 5), (2, 2), "SAME", (1, 1)),
    ((9, 8), (4, 4), (2, 2), "SAME", (1, 1)),
    ((9, 10), (2, 3), (3, 2), "VALID", (1, 1)),
    ((11, 9), (3, 2), (1, 2), "SAME", (2, 1)),
    ((6, 6), (4, 4), (1, 1), ((3, 1), (0, 2)), (1, 1)),
    ((5, 5), (1, 1), (2, 2), "SAME", (1, 1)),
]
"""Size, kernel, stride, padding and dilation."""


def random_operands(case, batch=3, cin=2, cout=4):
    """A geometry, images x, a kernel w and results y, of JAX's default float type."""
    size, kernel, stride, padding, dilation = case
    rng = np.random.default_rng(0)
    w = jnp.asarray(rng.normal(size=(*kernel, cin, cout)))
    g = geometry(size, w, stride, padding, dilation)
    x = jnp.asarray(rng.normal(size=(batch, *size, cin)))
    y = jnp.asarray(rng.normal(size=(batch, *g.out_size, cout)))
    return g, x, w, y
