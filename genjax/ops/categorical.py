"""Draws from categorical distributions."""

import math

import jax.numpy as jnp


def draw(logits, u):
    """Indices with the probabilities softmax(logits), by the inverse of their distribution function.

    The sum goes by blocks of about sqrt(V) logits, then within one block: a number u is cheaper than the V Gumbel
    numbers of `jax.random.categorical`, and so are two short sums than one of V.
    Shapes: logits [..., V], u from 0 to 1 [...] -> int32 [...].
    """
    count = logits.shape[-1]
    side = math.isqrt(count)
    weights = jnp.exp(logits - logits.max(-1, keepdims=True)).astype(jnp.float32)
    weights = jnp.pad(weights, [(0, 0)] * (logits.ndim - 1) + [(0, -count % side)])
    blocks = weights.reshape(*logits.shape[:-1], -1, side)
    sums = blocks.sum(-1)
    ends = jnp.cumsum(sums, -1)
    target = u * ends[..., -1]
    block = _first_beyond(ends, target)[..., None]
    inside = jnp.take_along_axis(blocks, block[..., None], -2)[..., 0, :]
    before = jnp.take_along_axis(ends - sums, block, -1)[..., 0]
    return block[..., 0] * side + _first_beyond(jnp.cumsum(inside, -1), target - before)


def _first_beyond(ends, target):
    """The index of the first end beyond the target; rounding never gives one of weight 0."""
    index = (ends <= target[..., None]).sum(-1, dtype=jnp.int32)
    return jnp.minimum(index, (ends < ends[..., -1:]).sum(-1, dtype=jnp.int32))
