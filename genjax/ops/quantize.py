"""Vector quantization: vectors by the indices of their nearest codes, and codes that follow the vectors they stand for.

Source: arXiv:1711.00937.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Codebook(NamedTuple):
    """Codes, and the running averages that they are the quotient of."""

    codes: jax.Array  # [K, D]
    counts: jax.Array  # [K], vectors that a code stands for in one batch
    sums: jax.Array  # [K, D], of those vectors


def init_codebook(key, count, size):
    """A codebook of random codes, each as if it had stood for one vector. Shapes: -> codes [count, size]."""
    codes = jax.random.normal(key, (count, size))
    return Codebook(codes, jnp.ones(count), codes)


def nearest(z, codes):
    """The number of the code nearest to each vector, by Euclidean distance. Shapes: [..., D], [K, D] -> int32 [...].

    Source: arXiv:1711.00937, eq. 1. The vector's own square, the same for all codes, is left out.
    """
    distances = jnp.sum(jnp.square(codes), 1) - 2 * z @ codes.T
    return jnp.argmin(distances, -1).astype(jnp.int32)


def straight_through(z, codes):
    """The values of `codes` with the gradient of the identity in z. Shapes: [...], [...] -> [...].

    Source: arXiv:1711.00937, section 3.2.
    """
    return z + jax.lax.stop_gradient(codes - z)


def ema_update(codebook, z, indices, decay):
    """The codebook after a batch: running averages of counts and of sums, and of each code their quotient.

    Source: arXiv:1711.00937, appendix A.1, eqs. 6 to 8. A code with next to nothing behind it stays as it is.
    Shapes: z [N, D], indices int [N] -> Codebook.
    """
    used = jax.nn.one_hot(indices, len(codebook.codes))
    counts = decay * codebook.counts + (1 - decay) * used.sum(0)
    sums = decay * codebook.sums + (1 - decay) * used.T @ z
    codes = jnp.where(counts[:, None] > 1e-5, sums / jnp.maximum(counts, 1e-5)[:, None], codebook.codes)
    return Codebook(codes, counts, sums)


def restart(codebook, z, below, key):
    """Codes that stand for less than `below` vectors of a batch become random ones of the batch; and how many did.

    Each begins anew as standing for `below` of them. Source: arXiv:2005.00341, section 3.1.
    Shapes: z [N, D] -> Codebook, [].
    """
    dead = codebook.counts < below
    fresh = z[jax.random.randint(key, dead.shape, 0, len(z))]
    codes = jnp.where(dead[:, None], fresh, codebook.codes)
    counts = jnp.where(dead, below, codebook.counts)
    return Codebook(codes, counts, jnp.where(dead[:, None], below * fresh, codebook.sums)), dead.sum()


def perplexity(indices, count):
    """Exponential of the entropy of how often codes are used: `count` where all are equally, 1 where one is alone.

    Shapes: int [...] -> [].
    """
    share = jax.nn.one_hot(indices.ravel(), count).mean(0)
    return jnp.exp(-jax.scipy.special.xlogy(share, share).sum())
