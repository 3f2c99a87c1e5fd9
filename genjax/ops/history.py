"""A pool of earlier images, some of which take the places of new ones. Source: arXiv:1612.07828, section 2.3.

In the form of arXiv:1703.10593, section 4, and its authors' code: for each image a coin decides whether it is exchanged
for one of the pool, which then holds it.
"""

import jax
import jax.numpy as jnp

from genjax.ops import noise


def exchange(pool, x, before, key):
    """The pool after a batch, and the batch with some of its images exchanged, one after the other.

    A pool that is not full keeps each image, and returns it. A full one keeps each with probability 1/2, and returns
    one of its own instead, all equally likely. `before` is the number of batches so far.
    Shapes: pool [capacity, ...], x [B, ...] -> the same two.
    """
    capacity, count = len(pool), len(x)
    first = jnp.minimum(before, capacity) * count
    coins, places = jnp.moveaxis(noise.uniform(key, count, (2,)), 1, 0)

    def one(pool, query):
        number, image, coin, place = query
        filled = number >= capacity
        place = jnp.where(filled, (place * capacity).astype(jnp.int32), number)
        old = pool[place]
        keeps = ~filled | (coin > 0.5)
        pool = pool.at[place].set(jnp.where(keeps, image, old))
        return pool, jnp.where(filled & keeps, old, image)

    return jax.lax.scan(one, pool, (first + jnp.arange(count), x, coins, places))
