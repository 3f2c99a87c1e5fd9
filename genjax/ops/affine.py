"""An image moved by an affine map: pixel by pixel where the map allows it, else resampled behind a wavelet's filter.

A map is a matrix [3, 3] that takes a point (x, y, 1) of the result to the point of the image that is seen there; x
goes right, y down, in pixels from the middle. Beyond its borders an image goes on as its mirror image, for ever.
Source: arXiv:2006.06676, appendix B. Shapes: x [H, H, C], one image, kept; `jax.vmap` makes it batches.
"""

from functools import cache

import jax.numpy as jnp
import numpy as np

SYM6 = (
    *(0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633),
    *(0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252),
    *(-0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148),
)
"""The symlet's low-pass filter, as PyWavelets lists it: orthogonal to its own shifts by two, its middle the sixth."""
BEFORE = 5  # taps before the middle


def shift(right, down):
    """The map of an image moved by so many pixels. Shapes: -> [3, 3], as below."""
    return jnp.array([[1, 0, -right], [0, 1, -down], [0, 0, 1.0]])


def scale(wide, high):
    """The map of an image made so many times as wide and as high; -1 is a flip."""
    return jnp.array([[1 / wide, 0, 0], [0, 1 / high, 0], [0, 0, 1.0]])


def turn(cosine, sine):
    """The map of an image turned from x towards y, clockwise for who looks at it."""
    return jnp.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1.0]])


def move(x, matrix):
    """Each pixel as it is, for maps that take pixels to pixels: flips, quarter turns, shifts by whole pixels."""
    side = len(x)
    columns, rows = _mirrored(jnp.round(_origins(matrix, np.arange(side), side)).astype(jnp.int32), side)
    return x[rows, columns]


def warp(x, matrix):
    """Twice the pixels by the filter, the map by bilinear sampling, half the pixels by the filter transposed.

    The filter is orthogonal, so that the map that changes nothing gives the image back, up to rounding.
    Its code: mirrored pixels as far as the batch needs them, one image's side at most, and zeros beyond; here: twice
    the pixels of one period of the mirrored image, which is every pixel that any map can ask for.
    """
    side = len(x)
    enlarge, shrink = _filters(side)
    fine = jnp.einsum("ip,jq,pqc->ijc", enlarge, enlarge, x, precision="highest")
    at = 2 * _origins(matrix, np.arange(-BEFORE, shrink.shape[1] - BEFORE) / 2, side)
    low = jnp.floor(at)
    (right, down), (columns, rows) = (at - low)[..., None], low.astype(jnp.int32) % len(fine)
    below, beside = (rows + 1) % len(fine), (columns + 1) % len(fine)
    take = lambda i, j: fine.at[i, j].get(mode="promise_in_bounds")  # noqa: E731 - unchecked: twice as fast on CPU
    above = (1 - right) * take(rows, columns) + right * take(rows, beside)
    under = (1 - right) * take(below, columns) + right * take(below, beside)
    return jnp.einsum("pi,qj,ijc->pqc", shrink, shrink, (1 - down) * above + down * under, precision="highest")


def _origins(matrix, places, side):
    """Where the map takes the points of a square lattice, all as columns and rows. Shapes: places [N] -> [2, N, N]."""
    x, y = np.meshgrid(places - (side - 1) / 2, places - (side - 1) / 2)
    x, y = matrix[:2, :1, None] * x, matrix[:2, 1:2, None] * y  # no matrix product: it may be of low precision
    return x + y + matrix[:2, 2:, None] + (side - 1) / 2


def _mirrored(number, side):
    """The pixel that stands at any whole number: 0, 1, ..., side - 1, side - 2, ..., 1, and again."""
    return abs((number + side - 1) % (2 * side - 2) - side + 1)


@cache
def _filters(side):
    """As matrices: from pixels to a period of twice as many, mirrored, and back from those around them.

    Shapes: -> [4 side - 4, side], [side, 2 side + 10].
    """
    period = 2 * side - 2
    enlarge, shrink = np.zeros((2 * period, side)), np.zeros((side, 2 * side - 2 + len(SYM6)))
    for tap, weight in enumerate(SYM6):
        pixels = np.arange(period)
        np.add.at(enlarge, ((2 * pixels + tap - BEFORE) % (2 * period), _mirrored(pixels, side)), weight * 2**0.5)
        shrink[np.arange(side), 2 * np.arange(side) + tap] = weight / 2**0.5
    return enlarge, shrink
