"""Vector quantization: indices of the nearest codes, and codes as running averages of the vectors assigned to them.

Source: arXiv:1711.00937.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Codebook(NamedTuple):
    """Codes, and the running averages whose quotient they are."""

    codes: jax.Array  # [K, D]
    counts: jax.Array  # [K], vectors per batch that are assigned to each code
    sums: jax.Array  # [K, D], sums of those vectors


def init_codebook(key, count, size):
    """A codebook of normal random codes with a count of 1 each. Shapes: -> codes [count, size]."""
    codes = jax.random.normal(key, (count, size))
    return Codebook(codes, jnp.ones(count), codes)


def nearest(z, codes):
    """The index of the code nearest to each vector, by Euclidean distance. Shapes: [..., D], [K, D] -> int32 [...].

    Source: arXiv:1711.00937, eq. 1. The vector's squared norm is left out, because it is the same for all codes.
    """
    distances = jnp.sum(jnp.square(codes), 1) - 2 * z @ codes.T
    return jnp.argmin(distances, -1).astype(jnp.int32)


def straight_through(z, codes):
    """The values of `codes` with the gradient of the identity in z. Shapes: [...], [...] -> [...].

    Source: arXiv:1711.00937, section 3.2.
    """
    return z + jax.lax.stop_gradient(codes - z)


def update_codebook(codebook, z, indices, decay):
    """The codebook after a batch: running averages of counts and sums, and codes as their quotient.

    Source: arXiv:1711.00937, appendix A.1, eqs. 6 to 8; here: a code whose count is below 1e-5 does not move.
    Shapes: z [N, D], indices int [N] -> Codebook.
    """
    used = jax.nn.one_hot(indices, len(codebook.codes))
    counts = decay * codebook.counts + (1 - decay) * used.sum(0)
    sums = decay * codebook.sums + (1 - decay) * used.T @ z
    codes = jnp.where(counts[:, None] > 1e-5, sums / jnp.maximum(counts, 1e-5)[:, None], codebook.codes)
    return Codebook(codes, counts, sums)


def restart(codebook, z, below, key):
    """Replace codes with a count less than `below` by random vectors of the batch, with a count of `below`.

    Source: arXiv:2005.00341, section 3.1.
    Shapes: z [N, D] -> Codebook, number of codes that were replaced [].
    """
    dead = codebook.counts < below
    fresh = z[jax.random.randint(key, dead.shape, 0, len(z))]
    codes = jnp.where(dead[:, None], fresh, codebook.codes)
    counts = jnp.where(dead, below, codebook.counts)
    return Codebook(codes, counts, jnp.where(dead[:, None], below * fresh, codebook.sums)), dead.sum()


def perplexity(indices, count):
    """Exponential of the entropy of code use: `count` if all codes are used equally, 1 if only one is used.

    Shapes: int [...] -> [].
    """
    share = jax.nn.one_hot(indices.ravel(), count).mean(0)
    return jnp.exp(-jax.scipy.special.xlogy(share, share).sum())
