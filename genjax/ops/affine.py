"""Affine maps of an image: by whole pixels where the map allows it, else resampled through a wavelet's filter.

A map is a matrix [3, 3] that takes a point (x, y, 1) of the result to the point of the image that appears there; x
points right and y down, in pixels from the middle. Beyond its borders an image is continued by its mirror images.
Source: arXiv:2006.06676, appendix B. Shapes: one image [H, W, C] -> [H, W, C]; use `jax.vmap` for batches.
"""

from functools import cache

import jax.numpy as jnp
import numpy as np

SYM6 = (
    *(0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633),
    *(0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252),
    *(-0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148),
)
"""The symlet's low-pass filter, as listed by PyWavelets: orthogonal to its own shifts by two."""

CENTER = 5
"""Index of the middle tap."""


def shift(right, down):
    """The map that moves an image, in pixels. Shapes: -> [3, 3]."""
    return jnp.array([[1, 0, -right], [0, 1, -down], [0, 0, 1.0]])


def scale(wide, high):
    """The map that stretches an image by these factors; -1 is a flip. Shapes: -> [3, 3]."""
    return jnp.array([[1 / wide, 0, 0], [0, 1 / high, 0], [0, 0, 1.0]])


def turn(cosine, sine):
    """The map that turns an image from x towards y, clockwise as displayed. Shapes: -> [3, 3]."""
    return jnp.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1.0]])


def move(x, matrix):
    """Apply a map that takes pixels to pixels (flips, shifts by whole pixels, half turns, of squares quarter turns).

    Values are copied.
    """
    sides = _sides(x)
    points = _source_points(matrix, *map(np.arange, x.shape[:2]), sides)
    columns, rows = _mirrored_index(jnp.round(points).astype(jnp.int32), sides)
    return x[rows, columns]


def warp(x, matrix):
    """Apply any map: upsample by the filter, sample bilinearly, downsample by the transposed filter.

    The filter is orthogonal, so the identity gives the image back, up to rounding.
    Paper: mirrored pixels as far as the batch needs them, at most one image's side, and zeros beyond (its code); here:
    one period of the mirrored image, upsampled, which holds every pixel that a map can ask for.
    """
    (upsample_rows, downsample_rows), (upsample_columns, downsample_columns) = map(_filters, x.shape[:2])
    fine = jnp.einsum("ip,jq,pqc->ijc", upsample_rows, upsample_columns, x, precision="highest")
    grids = (np.arange(-CENTER, d.shape[1] - CENTER) / 2 for d in (downsample_rows, downsample_columns))
    sides = _sides(x)
    points = 2 * _source_points(matrix, *grids, sides)
    corners = jnp.floor(points)
    right, down = (points - corners)[..., None]
    columns, rows = corners.astype(jnp.int32) % (4 * sides - 4)
    next_rows = (rows + 1) % fine.shape[0]
    next_columns = (columns + 1) % fine.shape[1]

    def take(i, j):  # without a check of bounds: twice as fast on CPU
        return fine.at[i, j].get(mode="promise_in_bounds")

    upper = (1 - right) * take(rows, columns) + right * take(rows, next_columns)
    lower = (1 - right) * take(next_rows, columns) + right * take(next_rows, next_columns)
    samples = (1 - down) * upper + down * lower
    return jnp.einsum("pi,qj,ijc->pqc", downsample_rows, downsample_columns, samples, precision="highest")


def _sides(x):
    """Width and height of an image, for points (column, row); one number for a square. Shapes: -> [2, 1, 1] or []."""
    height, width = x.shape[:2]
    return width if height == width else np.int32([width, height])[:, None, None]


def _source_points(matrix, rows, columns, sides):
    """The points (column, row) to which the map takes those of rows x columns of an image of these sides.

    It is no matrix product, since those may be of low precision. Shapes: rows [M], columns [N] -> [2, M, N].
    """
    middle = (sides - 1) / 2
    across, down = np.broadcast_to(middle, (2, 1, 1)).ravel()
    x, y = columns - across, (rows - down)[:, None]
    return matrix[:2, :1, None] * x + matrix[:2, 1:2, None] * y + matrix[:2, 2:, None] + middle


def _mirrored_index(index, side):
    """The pixel at any whole number, by reflection: 0, 1, ..., side - 1, side - 2, ..., 1, and again.

    `side` may be an array of sides that broadcasts with the numbers.
    """
    return abs((index + side - 1) % (2 * side - 2) - side + 1)


@cache
def _filters(side):
    """The filter as matrices: from pixels to one upsampled period of the mirrored image, and from samples to pixels.

    Shapes: -> [4 side - 4, side], [side, 2 side + 10].
    """
    period = 2 * side - 2
    upsample = np.zeros((2 * period, side))
    downsample = np.zeros((side, 2 * side - 2 + len(SYM6)))
    pixels = np.arange(period)
    for tap, weight in enumerate(SYM6):
        places = (2 * pixels + tap - CENTER) % (2 * period)
        np.add.at(upsample, (places, _mirrored_index(pixels, side)), weight * 2**0.5)
        downsample[np.arange(side), 2 * np.arange(side) + tap] = weight / 2**0.5
    return upsample, downsample
