"""Windows of a large image: they overlap, have one size, and their cores cover each pixel once.

A net's features in a window's core are those of the whole image, if the core's distance from the window's inner borders
is at least the net's reach and windows begin on the grid to which the net halves an image.
"""

from itertools import pairwise
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from genjax.errors import InputError

ENDLESS = 2**30
"""Pixels, more than any side has."""


class Windows(NamedTuple):
    """The windows along one side of an image, in pixels."""

    length: int
    starts: tuple[int, ...]
    bounds: tuple[int, ...]  # of the cores: window i has the pixels from bounds[i] to bounds[i + 1]

    @property
    def cores(self) -> list[tuple[int, int, int]]:
        """The start of each window, and from there the first pixel of its core and the one after.

        The last core has no end: a feature map may have a position for a block that the border cuts.
        """
        pairs = zip(self.starts, pairwise((*self.bounds[:-1], ENDLESS)), strict=True)
        return [(start, first - start, end - start) for start, (first, end) in pairs]


def overlap_of(reach: int, multiple: int) -> int:
    """The least overlap with which no core is nearer than `reach` to an inner border of its window."""
    return 2 * -(-reach // multiple) * multiple


def check_windows(tile: int, overlap: int, multiple: int, least: int = 0) -> None:
    """Refuse windows that `windows` cannot make, or with less than `least` pixels. Raises: InputError."""
    smallest = max(overlap + 2 * multiple, -(-least // multiple) * multiple + multiple)
    if overlap % (2 * multiple) or overlap < 0 or tile % multiple or tile < smallest:
        raise InputError(
            f"tile={tile}, overlap={overlap}: expected an overlap that is a multiple of {2 * multiple}, and a tile of "
            f"{multiple} times a number, {smallest} pixels or more, such as {max(4 * overlap, smallest)}"
        )


def windows(side: int, tile: int, overlap: int, multiple: int) -> Windows:
    """Windows of at most `tile` pixels along a side, which begin at multiples of a number.

    They are as much shorter as it takes for the last one to begin there as well. Neighbors overlap by at least
    `overlap`, so a core is half of it away from inner borders. `check_windows` says which numbers fit.
    """
    if side <= tile:
        return Windows(side, (0,), (0, side))
    length = tile - (tile - side) % multiple
    stride = (length - overlap) // multiple * multiple
    last = side - length
    starts = (*range(0, last, stride), last)
    return Windows(length, starts, (0, *(start + overlap // 2 for start in starts[1:]), side))


def places(rows: Windows, columns: Windows) -> np.ndarray:
    """Start and core of every window of an image, row by row. Shapes: -> int32 [windows, 2, 3], down before across."""
    return np.array([(down, across) for down in rows.cores for across in columns.cores], np.int32)


def within(place, shape: tuple[int, int], stride: int):
    """The core in a window's feature map of a stride: 1 there, 0 elsewhere.

    Shapes: place int [2, 3] -> float32 [h, w].
    """
    masks = []
    for axis, count in enumerate(shape):
        position = jnp.arange(count)
        masks.append((position >= place[axis, 1] // stride) & (position < place[axis, 2] // stride))
    return (masks[0][:, None] & masks[1][None]).astype(jnp.float32)
