"""Experience replay: a ring of examples that were made before.

Source: arXiv:1612.07828, section 2.3 (a buffer of earlier fakes, half of a batch from it).
"""

import jax
import jax.numpy as jnp

from genjax.ops import noise


def store(ring, examples, before):
    """Write a batch over the oldest places of a ring, after `before` such batches.

    Trees of [capacity, ...] and [B, ...]. Counted in batches, since a long run's examples are more than int32 holds.
    """
    capacity, count = (len(jax.tree.leaves(tree)[0]) for tree in (ring, examples))
    places = (before % capacity * count + jnp.arange(count)) % capacity
    return jax.tree.map(lambda old, new: old.at[places].set(new), ring, examples)


def held(batches, count, capacity):
    """How many places of a ring are written after so many batches of `count` examples."""
    return jnp.minimum(jnp.minimum(batches, capacity) * count, capacity)


def draw(ring, held, key, count):
    """`count` examples, each any of the first `held` places with the same chance. A tree of [count, ...]."""
    places = (noise.uniform(key, count) * held).astype(jnp.int32)
    return jax.tree.map(lambda old: old[places], ring)
