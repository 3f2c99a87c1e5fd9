"""Data sets that are drawn when they are read: images of their number alone, at any size."""

from collections.abc import Callable

import numpy as np

from genjax.data import shapes, textures
from genjax.data.images import Form, conform
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError

SIZES = {"train": 1000, "test": 100}
KINDS: dict[str, tuple[Callable[[int, int], np.ndarray], int]] = {
    "shapes": (shapes.draw, 1),
    "textures": (textures.draw, 8),
}
"""Name -> how a number is drawn at a side, and the least side."""


def load_drawn(name: str, split: str, form: Form) -> Source:
    """Images of the side in the name, as in "shapes_64"; 1,000 in "train" and 100 in "test".

    Shapes: uint8 (side, side, 3), or as the form says. Raises: InputError for a side that cannot be drawn.
    """
    kind, _, number = name.partition("_")
    side, (draw, least) = int(number), KINDS[kind]
    if not least <= side <= 2048:
        raise InputError(f"data.name={name!r}: expected {least} to 2048 pixels a side, as in '{kind}_256'")
    first = {part: sum(list(SIZES.values())[:i]) for i, part in enumerate(SIZES)}
    numbers = np.concatenate([first[p.name] + np.arange(*p.bounds(SIZES[p.name])) for p in parse(split, SIZES)])

    def read(indices):
        return conform(np.stack([draw(number, side) for number in numbers[np.asarray(indices)].ravel()]), form)

    shape = read([0]).shape[1:]
    fingerprint = fingerprint_of_text([f"{name} {shape} {form.resize}", *map(str, numbers)])
    return Source(name, split, len(numbers), shape, np.dtype(np.uint8), read, None, (), fingerprint)
