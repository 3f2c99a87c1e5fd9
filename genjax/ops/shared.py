"""Weights that all examples share: in bfloat16, their gradients are summed in float32 over devices, and on CPU.

A weight's gradient is a sum over the batch, which autodiff makes in the type that the net computes in. Where the batch
is spread over devices, XLA sums the devices' parts in that type too, and each addition rounds to 8 bits. Here the parts
are bfloat16 and their sum is float32. On CPU the sum over positions is float32 as well (`sum_type`), since XLA's
additions of bfloat16 are slow there. In float32, and on one device of another kind, all is as autodiff has it.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import PartitionSpec

from genjax.ops import backend

DATA = "data"
"""The axis of a mesh of devices over which batches are spread."""


def sum_over_devices(sum_over_batch: Callable[..., Array], x: Array, *more: Array) -> Array:
    """sum_over_batch(x, ...), which sums over the first axis of all; the devices' parts of it are summed in float32."""
    mesh = jax.sharding.get_abstract_mesh()
    devices = mesh.shape.get(DATA, 1)
    if x.dtype != jnp.bfloat16 or devices == 1 or x.shape[0] % devices:
        return sum_over_batch(x, *more)

    @partial(jax.shard_map, in_specs=PartitionSpec(DATA), out_specs=PartitionSpec())
    def parts(*arrays):
        return jax.lax.psum(sum_over_batch(*arrays).astype(jnp.float32), DATA)

    return jax.lax.optimization_barrier(parts(x, *more)).astype(x.dtype)  # or libtpu would sum in bfloat16


def matmul(x: Array, w: Array) -> Array:
    """x @ w in w's type. Shapes: x [B, ..., I], w [I, O] -> [B, ..., O]."""
    x = x.astype(w.dtype)
    return _matmul(x, w) if x.dtype == w.dtype == jnp.bfloat16 else x @ w


@jax.custom_vjp
def _matmul(x, w):
    return x @ w


@jax.custom_vjp
def _outer(x, y):
    """The sum over all axes but the last of outer products. Shapes: x [B, ..., I], y [B, ..., O] -> [I, O]."""
    axes = tuple(range(x.ndim - 1))
    return sum_over_devices(lambda x, y: jnp.tensordot(x, y, (axes, axes)), x, y)


_matmul.defvjp(lambda x, w: (_matmul(x, w), (x, w)), lambda xw, t: (_matmul(t, xw[1].T), _outer(xw[0], t)))
_outer.defvjp(lambda x, y: (_outer(x, y), (x, y)), lambda xy, t: (_matmul(xy[1], t.T), _matmul(xy[0], t)))


def per_example(weight: Array, x: Array) -> Array:
    """A weight in x's type as each example of x has it, to be added to x or to multiply it.

    Shapes: weight [...], x [B, ...] of at least one more axis -> [B, 1, ..., *weight.shape], or as it is in float32.
    On CPU it is repeated over x's positions too, so that one sum in float32 makes its gradient.
    """
    weight = weight.astype(x.dtype)
    if weight.dtype != jnp.bfloat16:
        return weight
    if backend.on_cpu() and x.ndim > weight.ndim and weight.shape == x.shape[x.ndim - weight.ndim :]:
        return _spread(weight, x.shape)
    return _spread(weight, (x.shape[0], *[1] * (x.ndim - 1 - weight.ndim), *weight.shape))


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _spread(weight, shape):
    return jnp.broadcast_to(weight, shape)


def _sum(shape, weight_shape, t):
    axes = tuple(range(t.ndim - len(weight_shape)))
    return (sum_over_devices(lambda t: jnp.sum(t, axes), t),)


_spread.defvjp(lambda weight, shape: (_spread(weight, shape), weight.shape), _sum)


def per_position(values: Array) -> Array:
    """Values of each example's channels for all its positions, in `sum_type`, in which gradients are summed.

    Shapes: values [B, C] -> [B, 1, 1, C].
    """
    return values.astype(sum_type(values))[:, None, None]


def sum_type(x: Array) -> jnp.dtype:
    """The type for sums of x and for what is between them: x's own, except that of bfloat16 on CPU, which is float32.

    XLA's CPU backend rounds each addition to bfloat16, at ten times the cost of a sum in float32.
    """
    return jnp.dtype(jnp.float32) if x.dtype == jnp.bfloat16 and backend.on_cpu() else x.dtype
