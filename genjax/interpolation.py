"""Paths between latents, for perceptual path lengths and for images of interpolations."""

from collections.abc import Callable

import numpy as np

from genjax.errors import InputError


def lerp(start, end, t) -> np.ndarray:
    """The straight path, `start` at t = 0 and `end` at t = 1, both exactly.

    Shapes: start, end [..., D], t a number or [...] -> [..., D].
    """
    t = np.asarray(t)[..., None]
    return (1 - t) * np.asarray(start) + t * np.asarray(end)


def slerp(start, end, t) -> np.ndarray:
    """The path along a great circle: the direction turns at constant speed, the length is interpolated linearly.

    The path is straight, as by `lerp`, where no single great circle joins the ends: they point in the same or in
    opposite directions, or one of them is zero.
    Source: Shoemake, "Animating rotation with quaternion curves", doi:10.1145/325165.325242; arXiv:1609.04468.
    Shapes: start, end [..., D], t a number or [...] -> float64 [..., D].
    """
    start = np.asarray(start, np.float64)
    end = np.asarray(end, np.float64)
    start_length = np.linalg.norm(start, axis=-1, keepdims=True)
    end_length = np.linalg.norm(end, axis=-1, keepdims=True)
    first = start / np.maximum(start_length, 1e-300)
    last = end / np.maximum(end_length, 1e-300)
    cosine = np.sum(first * last, -1, keepdims=True)
    aside = last - cosine * first  # the part of the end's direction that is orthogonal to the start's
    sine = np.linalg.norm(aside, axis=-1, keepdims=True)
    angle = np.asarray(t, np.float64)[..., None] * np.arctan2(sine, cosine)
    direction = np.cos(angle) * first + np.sin(angle) * aside / np.maximum(sine, 1e-300)
    one_circle = (sine > 1e-9) & (np.minimum(start_length, end_length) > 0)
    return np.where(one_circle, lerp(start_length, end_length, t) * direction, lerp(start, end, t))


PATHS: dict[str, Callable] = {"slerp": slerp, "lerp": lerp}
"""Paths by name."""


def within_class(path: Callable, classes: int) -> Callable:
    """A path between latents whose last `classes` entries are the one-hot of a class, which is blended linearly."""

    def both(start, end, t):
        parts = [np.split(np.asarray(point), [np.shape(point)[-1] - classes], -1) for point in (start, end)]
        return np.concatenate([path(parts[0][0], parts[1][0], t), lerp(parts[0][1], parts[1][1], t)], -1)

    return both


def bilinear(corners, rows: int, columns: int) -> np.ndarray:
    """A grid between four corners: top left, top right, bottom left, bottom right.

    Shapes: corners [4, D] -> [rows, columns, D].
    """
    top_left, top_right, bottom_left, bottom_right = np.asarray(corners)
    down = np.linspace(0, 1, rows)[:, None]
    across = np.linspace(0, 1, columns)
    return lerp(lerp(top_left, top_right, across), lerp(bottom_left, bottom_right, across), down)


def round_trip(stations, frames: int, path: Callable = lerp) -> np.ndarray:
    """A closed path through all stations that slows down at each of them, `frames` latents per station.

    Shapes: stations [K, D] -> [K * frames, D], the first of them the first station.
    Raises: InputError for fewer than two stations.
    """
    if len(stations) < 2:
        raise InputError(f"a round trip needs at least two stations; got {len(stations)}")
    t = np.linspace(0, 1, frames, endpoint=False)
    t = t * t * (3 - 2 * t)  # slow near a station
    pairs = zip(stations, np.roll(stations, -1, 0), strict=True)
    return np.concatenate([path(start, end, t) for start, end in pairs])
