"""Experience replay: a ring buffer of earlier examples.

Source: arXiv:1612.07828, section 2.3 (a buffer of earlier fakes, half of a batch from it).
"""

import jax
import jax.numpy as jnp

from genjax.ops import noise


def store(buffer, examples, before):
    """Write a batch over the oldest places of a buffer; `before` is the number of batches that were stored before.

    Batches are counted, because a long run has more examples than an int32 can hold.
    Shapes: trees of [capacity, ...] and [B, ...] -> a tree of [capacity, ...].
    """
    capacity = len(jax.tree.leaves(buffer)[0])
    count = len(jax.tree.leaves(examples)[0])
    places = (before % capacity * count + jnp.arange(count)) % capacity
    return jax.tree.map(lambda old, new: old.at[places].set(new), buffer, examples)


def filled(batches, count, capacity):
    """Number of places that are written after `batches` batches of `count` examples."""
    return jnp.minimum(jnp.minimum(batches, capacity) * count, capacity)


def draw(buffer, filled, key, count):
    """`count` examples, drawn uniformly and with replacement from the first `filled` places.

    Shapes: a tree of [capacity, ...] -> a tree of [count, ...].
    """
    places = (noise.uniform(key, count) * filled).astype(jnp.int32)
    return jax.tree.map(lambda old: old[places], buffer)
