"""Random amplification of an image's octaves: the filter of adaptive discriminator augmentation.

Source: arXiv:2006.06676, appendix B, "image-space filtering", and its authors' code.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

LOWPASS = np.array([1 - 3**0.5, 3 - 3**0.5, 3 + 3**0.5, 1 + 3**0.5]) / (4 * 2**0.5)
"""H(z), the scaling filter of the wavelet "sym2"."""

BANDS = 4
"""Up to an eighth, a quarter and a half of the highest frequency, and to the highest."""

POWER = np.array([10, 1, 1, 1]) / 13
"""Shares of the bands in the power of a natural image, whose spectrum falls as 1/f."""


@cache
def filter_bank() -> np.ndarray:
    """One filter per band, from the lowest on; all are symmetric, and their sum is the identity. float64 [BANDS, taps].

    With H2(z) = H(z) H(1/z) / 2 the lowest is H2(z) H2(z^2) H2(z^4); band b from the top, b = 0, 1, 2, has H2(-z^n),
    n = 2^b, times H2 of all smaller powers.
    """
    low = np.convolve(LOWPASS, LOWPASS[::-1]) / 2
    high = low * (-1.0) ** np.arange(-3, 4)  # H2(-z)
    bank = np.eye(BANDS, 1)
    for band in range(1, BANDS):
        spread = np.zeros((BANDS, 2 * bank.shape[1] - 1))
        spread[:, ::2] = bank  # z becomes z^2
        bank = np.stack([np.convolve(row, low) for row in spread])
        middle = bank.shape[1] // 2
        bank[band, middle - len(high) // 2 : middle + len(high) // 2 + 1] += high
    return bank


@cache
def filter_matrices(size: int) -> np.ndarray:
    """The filters as maps of a row of pixels that is mirrored at its ends. Shapes: float32 [BANDS, size, size]."""
    bank = filter_bank()
    reach = bank.shape[1] // 2
    places = np.pad(np.arange(size), reach, mode="reflect")
    matrices = np.zeros((BANDS, size, size))
    for tap in range(bank.shape[1]):
        np.add.at(matrices, (slice(None), np.arange(size), places[tap : tap + size]), bank[:, tap, None])
    return matrices.astype(np.float32)


def amplify(x, gains):
    """An image with its bands amplified, first of the columns, then of the rows. Shapes: x [H, W, C], gains [BANDS]."""
    rows, columns = (jnp.tensordot(gains, filter_matrices(size).astype(x.dtype), 1) for size in x.shape[:2])
    return jnp.einsum("ij,kl,jlc->ikc", rows, columns, x, precision="highest", optimize=[(0, 2), (0, 1)])


def draw_gains(key, p):
    """Each band amplified with probability p by 2^N(0, 1), each time at equal expected power. Shapes: -> [BANDS]."""
    k_size, k_chance = jax.random.split(key)
    sizes = jnp.exp2(jax.random.normal(k_size, (BANDS,), jnp.float32))
    applied = jax.random.uniform(k_chance, (BANDS,), jnp.float32) < p
    gains = jnp.where(jnp.eye(BANDS, dtype=bool), sizes, 1)
    gains /= jnp.sqrt((POWER * gains**2).sum(1, keepdims=True))
    return jnp.prod(jnp.where(applied[:, None], gains, 1), 0)


def amplify_by_chance(x, p, key):
    """An image whose bands are amplified as `draw_gains` says; without any, unchanged to the bit. Shapes: [H, W, C]."""
    gains = draw_gains(key, p)
    return jnp.where((gains == 1).all(), x, amplify(x, gains.astype(x.dtype)))
