"""A data source: points along two crescents that reach into each other."""

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Source, in_memory
from genjax.data.splits import read_splits

SIZES = {"train": 20_000, "test": 2_000}


def moons(request: Request) -> Source:
    """Two half circles of radius 1 with normal noise of 0.1; the label is the crescent. Shapes: float32 (2,).

    Raises: InputError if an image's size or channels are asked for.
    """
    request.refuse_image_form("points in the plane")
    x, labels = read_splits(request.split, SIZES, _draw)
    return in_memory(request.name, request.split, x, labels, ["upper", "lower"])


def _draw(split: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(list(SIZES).index(split))
    labels = rng.integers(2, size=SIZES[split])
    angle = np.pi * (rng.random(SIZES[split]) + labels)
    centers = np.array([[-0.5, -0.25], [0.5, 0.25]])[labels]
    x = centers + np.stack([np.cos(angle), np.sin(angle)], 1) + 0.1 * rng.standard_normal((SIZES[split], 2))
    return x.astype(np.float32), labels
