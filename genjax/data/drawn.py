"""Images that are drawn when they are read, at any size; each depends on its number alone."""

from collections.abc import Callable

import numpy as np

from genjax.data import shapes, textures
from genjax.data.images import conform, form_text
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError

SIZES = {"train": 1000, "test": 100}
KINDS: dict[str, tuple[Callable[[int, int], np.ndarray], int]] = {
    "shapes": (shapes.draw, 1),
    "textures": (textures.draw, 8),
}
"""For each kind, the function of (number, side) that draws an image, and the smallest side."""
MAX_SIDE = 2048


def load_drawn(request: Request) -> Source:
    """Images of the side in the name, as in "shapes_64"; 1,000 in "train" and 100 in "test".

    Shapes: uint8 (side, side, 3), or as the form says.
    Raises: InputError for a side that cannot be drawn.
    """
    kind, _, number = request.name.partition("_")
    side = int(number)
    draw, least = KINDS[kind]
    if not least <= side <= MAX_SIDE:
        raise InputError(
            f"data.name={request.name!r}: expected a side of {least} to {MAX_SIDE} pixels, as in '{kind}_256'"
        )
    numbers = _numbers(request.split)

    def read(indices):
        return conform(np.stack([draw(n, side) for n in numbers[np.asarray(indices)].ravel()]), request.form)

    shape = read([0]).shape[1:]
    return Source(
        name=request.name,
        split=request.split,
        size=len(numbers),
        shape=shape,
        dtype=np.dtype(np.uint8),
        read=read,
        labels=None,
        label_names=(),
        fingerprint=fingerprint_of_text([f"{request.name} {shape} {request.form.resize}", *map(str, numbers)]),
        form=form_text((side, side), shape, request.form),
    )


def _numbers(split: str) -> np.ndarray:
    """The numbers of the images of a split expression: "test" follows "train"."""
    first = {"train": 0, "test": SIZES["train"]}
    return np.concatenate([first[p.name] + np.arange(*p.bounds(SIZES[p.name])) for p in parse(split, SIZES)])
