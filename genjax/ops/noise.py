"""Random numbers that belong to examples, not to batches: the same at any batch size and on any number of devices."""

import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec


def per_example(key, count, start=0):
    """One key an example, a function of `key` and the example's number alone.

    Shapes: -> key[count], for examples start ... start + count - 1.
    """
    return jax.vmap(lambda i: jax.random.fold_in(key, i))(_spread(start + jnp.arange(count)))


def _spread(numbers):
    """Cut the examples' numbers between the devices of the mesh in force, and with them all that is made of them."""
    shape = jax.sharding.get_abstract_mesh().shape
    if len(numbers) % shape.get("data", 1):
        return numbers
    return jax.lax.with_sharding_constraint(numbers, PartitionSpec("data")) if "data" in shape else numbers


def normal(key, count, shape):
    """Standard normal noise, drawn example by example. Shapes: -> [count, *shape]."""
    return jax.vmap(lambda k: jax.random.normal(k, shape))(per_example(key, count))


def uniform(key, count, shape=()):
    """Uniform noise on [0, 1), drawn example by example. Shapes: -> [count, *shape]."""
    return jax.vmap(lambda k: jax.random.uniform(k, shape))(per_example(key, count))


def of_seeds(seeds, shape, truncation=None):
    """Standard normal noise of each seed, whatever the other seeds are. Shapes: seeds int [N] -> [N, *shape].

    `truncation` redraws numbers beyond it (arXiv:1809.11096, section 3.1).
    """
    root = jax.random.key(0)
    draw = jax.random.normal
    if truncation is not None:
        draw = lambda key, shape: jax.random.truncated_normal(key, -truncation, truncation, shape)  # noqa: E731
    return jax.vmap(lambda seed: draw(jax.random.fold_in(root, seed), shape))(seeds)


def keys_of_content(key, x):
    """One key an example, a function of `key` and the example alone: neither of its place nor of the others.

    Shapes: x uint8 or float32 [N, ...] -> key[N].
    """
    words = x.astype(jnp.uint32) if x.dtype == jnp.uint8 else jax.lax.bitcast_convert_type(x, jnp.uint32)
    words = jax.lax.collapse(words, 1)
    # Each number mixed with random bits of its place, by a bijection: one that changes changes the sum.
    digests = jnp.sum(_mix(words ^ bits(key, words.shape[1:])), 1, dtype=jnp.uint32)
    return jax.vmap(lambda digest: jax.random.fold_in(key, digest))(digests)


def bits(key, shape):
    """32 random bits an element, by hashing the element's index with the key's two words.

    An eighth of Threefry's price on two CPU cores. For masks, which need good statistics but no cryptography. The
    hash is over the flat index, so an example's bits do not depend on how many follow it in the batch.
    Source: Wellons' `lowbias32` mixing function (https://nullprogram.com/blog/2018/07/31/), applied twice.
    """
    first, second = jax.random.key_data(key).ravel()[:2]
    size = 1
    for n in shape:
        size *= n
    index = jax.lax.iota(jnp.uint32, size).reshape(shape)
    return _mix(_mix(index ^ first) + second)


def _mix(x):
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def bernoulli(key, probability, shape):
    """A boolean mask, true with the given (static) probability up to 2**-32. Shapes: -> [*shape]."""
    if probability >= 1:
        return jnp.ones(shape, bool)
    return bits(key, shape) < jnp.uint32(round(probability * 2**32))
