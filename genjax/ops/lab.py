"""CIE L*a*b* of colors in sRGB: lightness, and two numbers of color that are 0 for grays (CIE 15; IEC 61966-2-1).

White is that of sRGB, D65, as the sum of its primaries, so that grays have a = b = 0. All functions take NumPy arrays,
which stay in their precision, and JAX arrays, without importing JAX: readers of images do not wait for it.
"""

from functools import lru_cache

import numpy as np

XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
"""X, Y, Z of linear red, green and blue."""

WHITE = tuple(map(sum, XYZ))
EDGE = 6 / 29
"""The cube root below which lightness is linear."""

LARGEST = 110.0
"""By which pix2pix divides a and b; those of sRGB are from -107.9 to 98.3."""

WEIGHTS = (13938, 46868, 4730)
"""The Y of linear red, green and blue in 65536ths; their sum is 65536."""


def from_srgb(x):
    """L* (0 to 100), a and b. Shapes: x [..., 3] from 0 to 1 -> [..., 3]."""
    xp = _numpy_of(x)
    x, y, z = (_compressed(part / white) for part, white in zip(_mixed(linear(x), XYZ), WHITE, strict=True))
    return xp.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def to_srgb(lab):
    """The inverse of `from_srgb`; colors beyond sRGB are clipped. Shapes: lab [..., 3] -> [..., 3] from 0 to 1."""
    xp = _numpy_of(lab)
    y = (lab[..., 0] + 16) / 116
    parts = y + lab[..., 1] / 500, y, y - lab[..., 2] / 200
    xyz = xp.stack([_expanded(part) * white for part, white in zip(parts, WHITE, strict=True)], -1)
    return encoded(xp.clip(xp.stack(_mixed(xyz, np.linalg.inv(XYZ)), -1), 0, 1))


def lightness(gray):
    """L* of grays. Shapes: gray from 0 to 1, kept."""
    return 116 * _compressed(linear(gray)) - 16


def gray_of(x: np.ndarray) -> np.ndarray:
    """The gray of the same lightness, rounded to the nearest level; the same bits on every machine.

    Shapes: uint [..., 3] -> [..., 1], of the same type.
    """
    levels, borders, first, shift = _tables(np.iinfo(x.dtype).max)
    luminance = sum(levels[x[..., i]] * weight for i, weight in enumerate(WEIGHTS))
    gray = first[luminance >> shift]
    return (gray + (luminance >= borders[gray])).astype(x.dtype)[..., None]


def linear(x):
    """sRGB's values as amounts of light. Shapes: from 0 to 1, kept."""
    xp = _numpy_of(x)
    return xp.where(x <= 0.04045, x / 12.92, ((xp.maximum(x, 0.04045) + 0.055) / 1.055) ** 2.4)


def encoded(light):
    """The inverse of `linear`. Shapes: from 0 to 1, kept."""
    xp = _numpy_of(light)
    return xp.where(light <= 0.0031308, 12.92 * light, 1.055 * xp.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=2)
def _tables(white: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """The light of each level in 2**30ths, and the luminance at which gray goes up a level, as `gray_of` sums it.

    Then the gray at which each interval of 2**shift luminances begins: at most one border lies within, so a look and a
    comparison do the work of a search.
    """
    levels = np.rint(linear(np.arange(white + 1) / white) * 2**30).astype(np.int64)
    borders = np.rint(linear((np.arange(white) + 0.5) / white) * 2**30).astype(np.int64) * sum(WEIGHTS)
    largest = levels[-1] * sum(WEIGHTS)
    shift = int(np.diff(borders).min()).bit_length() - 1
    first = np.searchsorted(borders, np.arange((largest >> shift) + 1) << shift, "right")
    return levels, np.append(borders, largest + 1), first, shift


def _mixed(x, matrix) -> list:
    """Sums of the last axis with the rows of a matrix as weights, in full precision on every backend."""
    return [sum(x[..., i] * float(weight) for i, weight in enumerate(row)) for row in matrix]


def _compressed(t):
    xp = _numpy_of(t)
    return xp.where(t > EDGE**3, xp.maximum(t, EDGE**3) ** (1 / 3), t / (3 * EDGE**2) + 4 / 29)


def _expanded(t):
    return _numpy_of(t).where(t > EDGE, t**3, 3 * EDGE**2 * (t - 4 / 29))


def _numpy_of(x):
    return getattr(x, "__array_namespace__", lambda: np)()
