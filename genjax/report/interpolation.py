"""Ways between latents, and images of what lies on them."""

import io

import numpy as np

from genjax.errors import InputError
from genjax.report.figures import grid


def linear(start, end, t) -> np.ndarray:
    """The straight way. Shapes: start, end [..., D], t a number or [...] -> [..., D]."""
    t = np.asarray(t)[..., None]
    return (1 - t) * np.asarray(start) + t * np.asarray(end)


def spherical(start, end, t) -> np.ndarray:
    """The way along a great circle: directions turn evenly, lengths go over linearly; straight where no
    one circle goes through both.

    Source: Shoemake, "Animating rotation with quaternion curves", doi:10.1145/325165.325242; arXiv:1609.04468.
    Shapes: start, end [..., D], t a number or [...] -> [..., D].
    """
    start, end, t = np.asarray(start, float), np.asarray(end, float), np.asarray(t, float)[..., None]
    lengths = [np.linalg.norm(z, axis=-1, keepdims=True) for z in (start, end)]
    one, other = (z / np.maximum(length, 1e-12) for z, length in zip((start, end), lengths, strict=True))
    angle = np.arccos(np.clip((one * other).sum(-1, keepdims=True), -1, 1))
    sine = np.sin(angle)
    turns = (sine > 1e-6) & (np.minimum(*lengths) > 0)  # else there is no circle, or there are many
    safe = np.where(turns, sine, 1)
    way = (np.sin((1 - t) * angle) * one + np.sin(t * angle) * other) / safe
    length = (1 - t) * lengths[0] + t * lengths[1]
    return np.where(turns, length * way, (1 - t) * start + t * end)


def bilinear(corners, rows: int, columns: int) -> np.ndarray:
    """A grid between four corners: top left, top right, bottom left, bottom right.

    Shapes: corners [4, D] -> [rows, columns, D].
    """
    corners = np.asarray(corners)
    down, across = np.linspace(0, 1, rows)[:, None], np.linspace(0, 1, columns)
    return linear(linear(corners[0], corners[1], across), linear(corners[2], corners[3], across), down)


WAYS = {"linear": linear, "spherical": spherical}


def rows(images, start=None, end=None):
    """Ways as rows, from `start` (original images, left) to `end` (right), set off by a gap, where they are given.

    Shapes: images uint8 [pairs, steps, H, W, C]; start, end uint8 [pairs, H, W, C].
    """
    pairs, _, height, width, channels = np.shape(images)
    gap = np.full((pairs, 1, height, max(2, width // 4), channels), 255, np.uint8)
    parts = [np.asarray(images)]
    if start is not None:
        parts = [np.asarray(start)[:, None], gap, *parts, gap, np.asarray(end)[:, None]]
    sheet = np.concatenate([_row(part) for part in parts], 2)  # [pairs, height, width of the row, C]
    return grid(sheet, columns=1)


def corners(images, originals=None):
    """A grid of images, and the originals of its corners beside them, set off by a gap, where they are given.

    Shapes: images uint8 [rows, columns, H, W, C]; originals uint8 [4, H, W, C].
    """
    if originals is None:
        return rows(images)
    blank = np.full((len(images), *np.shape(originals)[1:]), 255, np.uint8)
    left, right = blank, blank.copy()
    left[0], right[0], left[-1], right[-1] = originals
    return rows(images, left, right)


def _row(part):
    """Images [N, n, h, w, C] side by side, with white between them: [N, h, W, C]."""
    part = np.pad(part, ((0, 0), (0, 0), (0, 0), (1, 1), (0, 0)), constant_values=255)
    count, _, height, _, channels = part.shape
    return part.swapaxes(1, 2).reshape(count, height, -1, channels)


def frames(images) -> list[io.BytesIO]:
    """Grids, one for each moment, as files in memory for `figures.save_gif`. Shapes: uint8 [moments, N, H, W, C]."""
    files = []
    for moment in images:
        files.append(io.BytesIO())
        grid(moment).save(files[-1], "PNG", compress_level=1)
        files[-1].seek(0)
    return files


def journey(stations, moments: int, way=linear) -> np.ndarray:
    """A closed way through stations, at rest for a while in each: latents at all moments between.

    Shapes: stations [K, D] -> [K * moments, D], the first of them the first station.
    Raises: InputError for fewer than two stations.
    """
    if len(stations) < 2:
        raise InputError(f"a journey needs two stations; got {len(stations)}")
    t = np.linspace(0, 1, moments, endpoint=False)
    t = t * t * (3 - 2 * t)  # slow where an image is whole
    pairs = zip(stations, np.roll(stations, -1, 0), strict=True)
    return np.concatenate([way(start, end, t) for start, end in pairs])
