"""Vector quantization: indices of the nearest codes, and codes that are running means of their vectors.

Source: arXiv:1711.00937.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Codebook(NamedTuple):
    """Codes, and the running averages whose quotient they are."""

    codes: jax.Array  # [K, D]
    counts: jax.Array  # [K], number of vectors per code in one batch
    sums: jax.Array  # [K, D], sum of those vectors


def init_codebook(key, count, size):
    """A codebook of random codes, each with a count of one vector. Shapes: -> codes [count, size]."""
    codes = jax.random.normal(key, (count, size))
    return Codebook(codes, jnp.ones(count), codes)


def nearest(z, codes):
    """The index of the code nearest to each vector, by Euclidean distance. Shapes: [..., D], [K, D] -> int32 [...].

    Source: arXiv:1711.00937, eq. 1. The square of the vector, the same for all codes, is left out.
    """
    distances = jnp.sum(jnp.square(codes), 1) - 2 * z @ codes.T
    return jnp.argmin(distances, -1).astype(jnp.int32)


def straight_through(z, codes):
    """The values of `codes` with the gradient of the identity in z. Shapes: [...], [...] -> [...].

    Source: arXiv:1711.00937, section 3.2.
    """
    return z + jax.lax.stop_gradient(codes - z)


def ema_update(codebook, z, indices, decay):
    """The codebook after a batch: running averages of counts and sums, and their quotient as the codes.

    Source: arXiv:1711.00937, appendix A.1, eqs. 6 to 8. A code with almost no vectors is unchanged.
    Shapes: z [N, D], indices int [N] -> Codebook.
    """
    used = jax.nn.one_hot(indices, len(codebook.codes))
    counts = decay * codebook.counts + (1 - decay) * used.sum(0)
    sums = decay * codebook.sums + (1 - decay) * used.T @ z
    codes = jnp.where(counts[:, None] > 1e-5, sums / jnp.maximum(counts, 1e-5)[:, None], codebook.codes)
    return Codebook(codes, counts, sums)


def restart(codebook, z, below, key):
    """Replace codes with fewer than `below` vectors by random vectors of the batch; also returns their number.

    Each new code has a count of `below`. Source: arXiv:2005.00341, section 3.1.
    Shapes: z [N, D] -> Codebook, [].
    """
    dead = codebook.counts < below
    fresh = z[jax.random.randint(key, dead.shape, 0, len(z))]
    codes = jnp.where(dead[:, None], fresh, codebook.codes)
    counts = jnp.where(dead, below, codebook.counts)
    return Codebook(codes, counts, jnp.where(dead[:, None], below * fresh, codebook.sums)), dead.sum()


def perplexity(indices, count):
    """Exponential of the entropy of code usage: `count` if all codes are used equally, 1 if only one is used.

    Shapes: int [...] -> [].
    """
    share = jax.nn.one_hot(indices.ravel(), count).mean(0)
    return jnp.exp(-jax.scipy.special.xlogy(share, share).sum())
