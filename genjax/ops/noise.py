"""Random numbers keyed per example: the same at any batch size and on any number of devices."""

import math

import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec

from genjax.ops.shared import DATA


def per_example(key, count, start=0):
    """One key per example, a function of `key` and of the example's index in the batch.

    Shapes: -> key[count], for examples start ... start + count - 1.
    """
    return jax.vmap(lambda i: jax.random.fold_in(key, i))(_shard(start + jnp.arange(count)))


def _shard(indices):
    """Shard the examples' indices over the devices of the current mesh, and with them all that follows from them."""
    shape = jax.sharding.get_abstract_mesh().shape
    if len(indices) % shape.get(DATA, 1):
        return indices
    return jax.lax.with_sharding_constraint(indices, PartitionSpec(DATA)) if DATA in shape else indices


def normal(key, count, shape):
    """Standard normal noise, drawn example by example. Shapes: -> [count, *shape]."""
    return jax.vmap(lambda k: jax.random.normal(k, shape))(per_example(key, count))


def uniform(key, count, shape=()):
    """Uniform noise on [0, 1), drawn example by example. Shapes: -> [count, *shape]."""
    return jax.vmap(lambda k: jax.random.uniform(k, shape))(per_example(key, count))


def of_seeds(seeds, shape, truncation=None):
    """Standard normal noise per seed, independent of the other seeds. Shapes: seeds int [N] -> [N, *shape].

    With `truncation`, numbers of larger size are drawn again (arXiv:1809.11096, section 3.1).
    """
    root = jax.random.key(0)

    def draw(seed):
        key = jax.random.fold_in(root, seed)
        if truncation is None:
            return jax.random.normal(key, shape)
        return jax.random.truncated_normal(key, -truncation, truncation, shape)

    return jax.vmap(draw)(seeds)


def uniform_of_seeds(seeds, shape, low=0.0, high=1.0):
    """Uniform noise on [low, high) per seed, independent of the other seeds. Shapes: seeds int [N] -> [N, *shape]."""
    root = jax.random.key(0)
    return jax.vmap(lambda seed: jax.random.uniform(jax.random.fold_in(root, seed), shape, None, low, high))(seeds)


def keys_of_seeds(seeds):
    """One key per seed, for noise that is independent of that of `of_seeds`. Shapes: seeds int [N] -> key[N]."""
    root = jax.random.key(1)
    return jax.vmap(lambda seed: jax.random.fold_in(root, seed))(seeds)


def keys_of_content(key, x):
    """One key per example, a function of `key` and of the example's content, not of its position in the batch.

    Shapes: x uint8, uint16 or float32 [N, ...] -> key[N].
    """
    words = x.astype(jnp.uint32) if x.dtype in (jnp.uint8, jnp.uint16) else jax.lax.bitcast_convert_type(x, jnp.uint32)
    words = jax.lax.collapse(words, 1)
    # A bijection mixes each number with random bits of its position, so that a change of one number changes the sum.
    digests = jnp.sum(_mix(words ^ bits(key, words.shape[1:])), 1, dtype=jnp.uint32)
    return jax.vmap(lambda digest: jax.random.fold_in(key, digest))(digests)


def bits(key, shape):
    """32 random bits per element, a hash of the element's flat index and the two words of the key.

    For masks, which need good statistics but no cryptography: an eighth of Threefry's time on two CPU cores. An
    example's bits do not depend on the number of examples after it in the batch.
    Source: Wellons' `lowbias32` mixing function (https://nullprogram.com/blog/2018/07/31/), applied twice.
    """
    first, second = jax.random.key_data(key).ravel()[:2]
    index = jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
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


def of_layers(name: str, seeds):
    """The noise of the layers of a generator with styles, by a name of `genjax.config.NOISE`.

    Shapes: seeds int [N] -> of "random" key [N]; None for "constant", False for "none".
    """
    return keys_of_seeds(seeds) if name == "random" else {"constant": None, "none": False}[name]
