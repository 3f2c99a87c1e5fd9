"""Affine maps of images: exact where pixels map to pixels, otherwise resampled with a wavelet's filter.

A map is a matrix [3, 3] from a point (x, y, 1) of the result to the point of the image that it shows; x points right
and y down, in pixels from the center. Beyond its borders an image is continued by reflection without end.
Source: arXiv:2006.06676, appendix B. Shapes: x [H, H, C], one image, kept; use `jax.vmap` for batches.
"""

from functools import cache

import jax.numpy as jnp
import numpy as np

SYM6 = (
    *(0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633),
    *(0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252),
    *(-0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148),
)
"""The symlet's low-pass filter as in PyWavelets, orthogonal to its shifts by two; its center is the sixth tap."""
BEFORE = 5  # taps before the center


def shift(right, down):
    """The map that shifts an image by `right` and `down` pixels. Shapes: -> [3, 3]."""
    return jnp.array([[1, 0, -right], [0, 1, -down], [0, 0, 1.0]])


def scale(wide, high):
    """The map that scales an image by the factors `wide` and `high`; -1 is a flip. Shapes: -> [3, 3]."""
    return jnp.array([[1 / wide, 0, 0], [0, 1 / high, 0], [0, 0, 1.0]])


def turn(cosine, sine):
    """The map that rotates an image from x toward y, clockwise as displayed. Shapes: -> [3, 3]."""
    return jnp.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1.0]])


def move(x, matrix):
    """Apply a map from pixels to pixels exactly: flips, quarter turns, shifts by whole pixels."""
    side = len(x)
    columns, rows = _mirrored(jnp.round(_origins(matrix, np.arange(side), side)).astype(jnp.int32), side)
    return x[rows, columns]


def warp(x, matrix):
    """Apply any map: upsample by the filter, sample bilinearly, downsample by the transposed filter.

    The filter is orthogonal, so that the identity map gives the image back, up to rounding.
    Authors' code: reflected pixels as far as the batch needs them, at most one image's side, and zeros beyond; here:
    one period of the reflected image, upsampled, which contains every pixel that any map can need.
    """
    side = len(x)
    enlarge, shrink = _filters(side)
    fine = jnp.einsum("ip,jq,pqc->ijc", enlarge, enlarge, x, precision="highest")
    at = 2 * _origins(matrix, np.arange(-BEFORE, shrink.shape[1] - BEFORE) / 2, side)
    low = jnp.floor(at)
    (right, down), (columns, rows) = (at - low)[..., None], low.astype(jnp.int32) % len(fine)
    below, beside = (rows + 1) % len(fine), (columns + 1) % len(fine)

    def take(i, j):
        return fine.at[i, j].get(mode="promise_in_bounds")  # unchecked indices: twice as fast on CPU

    above = (1 - right) * take(rows, columns) + right * take(rows, beside)
    under = (1 - right) * take(below, columns) + right * take(below, beside)
    return jnp.einsum("pi,qj,ijc->pqc", shrink, shrink, (1 - down) * above + down * under, precision="highest")


def _origins(matrix, places, side):
    """Columns and rows of the image for a square lattice of the result. Shapes: places [N] -> [2, N, N]."""
    x, y = np.meshgrid(places - (side - 1) / 2, places - (side - 1) / 2)
    x, y = matrix[:2, :1, None] * x, matrix[:2, 1:2, None] * y  # no matrix product, whose precision may be low
    return x + y + matrix[:2, 2:, None] + (side - 1) / 2


def _mirrored(number, side):
    """The pixel at any integer position under reflection: 0, 1, ..., side - 1, side - 2, ..., 1, and so on."""
    return abs((number + side - 1) % (2 * side - 2) - side + 1)


@cache
def _filters(side):
    """Matrices that upsample pixels to one period of the reflected image, and downsample from around the result.

    Shapes: -> [4 side - 4, side], [side, 2 side + 10].
    """
    period = 2 * side - 2
    enlarge, shrink = np.zeros((2 * period, side)), np.zeros((side, 2 * side - 2 + len(SYM6)))
    for tap, weight in enumerate(SYM6):
        pixels = np.arange(period)
        np.add.at(enlarge, ((2 * pixels + tap - BEFORE) % (2 * period), _mirrored(pixels, side)), weight * 2**0.5)
        shrink[np.arange(side), 2 * np.arange(side) + tap] = weight / 2**0.5
    return enlarge, shrink
