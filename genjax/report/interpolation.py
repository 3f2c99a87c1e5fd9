"""Images of interpolations between latents: rows, grids with corners, frames of an animation."""

import io

import numpy as np

from genjax.report.display import shown
from genjax.report.figures import grid


def rows(images, start=None, end=None):
    """One path per row; the originals `start` and `end` are at its left and right, behind a gap, if they are passed.

    Shapes: images uint8 [pairs, steps, H, W, C]; start, end uint8 [pairs, H, W, C].
    """
    images = shown(images)
    pairs, _, height, width, channels = images.shape
    gap = np.full((pairs, 1, height, max(2, width // 4), channels), 255, np.uint8)
    parts = [images]
    if start is not None:
        parts = [shown(start)[:, None], gap, *parts, gap, shown(end)[:, None]]
    sheet = np.concatenate([_row(part) for part in parts], 2)  # [pairs, height, width of the row, C]
    return grid(sheet, columns=1)


def corners(images, originals=None):
    """A grid of images, with the originals of its corners at the sides, behind a gap, if they are passed.

    Shapes: images uint8 [rows, columns, H, W, C]; originals uint8 [4, H, W, C].
    """
    if originals is None:
        return rows(images)
    originals = shown(originals)
    blank = np.full((len(images), *originals.shape[1:]), 255, np.uint8)
    left = blank
    right = blank.copy()
    left[0], right[0], left[-1], right[-1] = originals
    return rows(shown(images), left, right)


def _row(part):
    """Rows of images, with white between them. Shapes: [N, n, h, w, C] -> [N, h, W, C]."""
    part = np.pad(part, ((0, 0), (0, 0), (0, 0), (1, 1), (0, 0)), constant_values=255)
    count, _, height, _, channels = part.shape
    return part.swapaxes(1, 2).reshape(count, height, -1, channels)


def frames(images) -> list[io.BytesIO]:
    """One grid per frame, as PNG files in memory for `gif.save_gif`. Shapes: uint8 [frames, N, H, W, C]."""
    files = []
    for frame in images:
        files.append(io.BytesIO())
        grid(frame).save(files[-1], "PNG", compress_level=1)
        files[-1].seek(0)
    return files
