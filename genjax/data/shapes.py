"""Coloured ellipses before a sky, drawn at any size: pictures to try nets of many pixels on, without any data.

A picture is of its number alone: `shapes_64` shows what `shapes_1024` shows, with fewer pixels.
"""

import numpy as np

from genjax.data.images import Form, conform
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError

SIZES = {"train": 1000, "test": 100}
MOST = 6
"""Ellipses in a picture, at least one."""


def load_shapes(name: str, split: str, form: Form) -> Source:
    """Pictures of the side in the name, drawn when they are read; 1,000 in "train" and 100 in "test".

    Shapes: uint8 (side, side, 3), or as the form says. Raises: InputError for a side that is not from 1 to 2048.
    """
    side = int(name.partition("_")[2])
    if not 1 <= side <= 2048:
        raise InputError(f"data.name={name!r}: expected 1 to 2048 pixels a side, as in 'shapes_256'")
    first = {part: sum(list(SIZES.values())[:i]) for i, part in enumerate(SIZES)}
    numbers = np.concatenate([first[p.name] + np.arange(*p.bounds(SIZES[p.name])) for p in parse(split, SIZES)])

    def read(indices):
        return conform(np.stack([draw(number, side) for number in numbers[np.asarray(indices)].ravel()]), form)

    shape = read([0]).shape[1:]
    fingerprint = fingerprint_of_text([f"{name} {shape} {form.resize}", *map(str, numbers)])
    return Source(name, split, len(numbers), shape, np.dtype(np.uint8), read, None, (), fingerprint)


def draw(number: int, side: int) -> np.ndarray:
    """One picture. Shapes: -> uint8 [side, side, 3]."""
    rng = np.random.default_rng((4, int(number)))
    y, x = ((np.mgrid[:side, :side] + 0.5) / side).astype(np.float32)
    top, bottom = rng.uniform(90, 255, (2, 3))
    picture = top + (bottom - top) * y[..., None]
    for _ in range(rng.integers(1, MOST + 1)):
        centre, radii, angle = rng.uniform(0.15, 0.85, 2), rng.uniform(0.05, 0.3, 2), rng.uniform(0, np.pi)
        across = (x - centre[0]) * np.cos(angle) + (y - centre[1]) * np.sin(angle)
        along = (y - centre[1]) * np.cos(angle) - (x - centre[0]) * np.sin(angle)
        beyond = (np.hypot(across / radii[0], along / radii[1]) - 1) * radii.min() * side  # about pixels to the edge
        cover = np.clip(0.5 - beyond, 0, 1)[..., None]
        picture = picture + cover * (rng.uniform(0, 255, 3) - picture)
    return np.round(picture).astype(np.uint8)
