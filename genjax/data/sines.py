"""Sines of random frequency and phase: the synthetic series on which TimeGAN is measured."""

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Source, in_memory
from genjax.data.splits import read_splits

SIZES = {"train": 10_000, "test": 2_000}
STEPS, NUMBERS = 24, 5
LIMIT = 0.1
"""Frequencies and phases are uniform up to this, in radians per step and radians."""


def load_sines(request: Request) -> Source:
    """Series (1 + sin(f t + p)) / 2, each number with f and p of its own; 10,000 in "train" and 2,000 in "test".

    The numbers of a series are independent of each other, and lie between 0.5 and 1.
    Source: `sine_data_generation` of TimeGAN's authors.
    Shapes: float32 (24, 5).
    Raises: InputError if a size or channels of images are asked for.
    """
    request.refuse_image_form("series of 24 steps")
    x, _ = read_splits(request.split, SIZES, lambda split: (_draw(split), None))
    return in_memory(request.name, request.split, x, None)


def _draw(split: str) -> np.ndarray:
    rng = np.random.default_rng((5, list(SIZES).index(split)))
    frequency, phase = rng.uniform(0, LIMIT, (2, SIZES[split], 1, NUMBERS))
    return ((1 + np.sin(frequency * np.arange(STEPS)[:, None] + phase)) / 2).astype(np.float32)
