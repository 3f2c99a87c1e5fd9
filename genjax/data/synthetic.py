"""Points whose distribution is known: mixtures of Gaussians and a spiral in the plane, and an arc almost flat in space.

Source of the mixtures: arXiv:1712.04086 (PacGAN), section 4.1: "2D-ring" and "2D-grid".
"""

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Mixture, Source, in_memory
from genjax.data.splits import read_splits
from genjax.errors import InputError

SIZES = {"train": 100_000, "test": 10_000}
ARC_SIZES = {"train": 1000, "test": 200}


def mixture(name: str) -> Mixture:
    """The distribution behind `ring8` (eight modes on the unit circle) or `grid25` (5 x 5 modes, two apart)."""
    if name == "ring8":
        d = np.sqrt(0.5)  # written as a constant, because cos and sin differ between systems in the last bit
        ring = [(1, 0), (d, d), (0, 1), (-d, d), (-1, 0), (-d, -d), (0, -1), (d, -d)]
        return Mixture(np.array(ring, np.float64), 0.01)
    if name == "grid25":
        side = range(-4, 5, 2)
        return Mixture(np.array([(i, j) for i in side for j in side], np.float64), 0.05)
    raise InputError(f"{name!r} is not a mixture: choose from 'ring8' or 'grid25'.")


def load_mixture(request: Request) -> Source:
    """Fixed points from a mixture, 100,000 in "train" and 10,000 in "test"; the label of a point is its mode.

    Shapes: float32 (2,).
    Raises: InputError if a size or channels of images are asked for.
    """
    request.refuse_image_form("points in the plane")
    modes = mixture(request.name)
    x, labels = read_splits(request.split, SIZES, lambda split: _draw(modes, split))
    names = [str(mode) for mode in range(len(modes.centers))]
    return in_memory(request.name, request.split, x, labels, names, modes)


def _draw(modes: Mixture, split: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng((len(modes.centers), list(SIZES).index(split)))
    labels = rng.integers(len(modes.centers), size=SIZES[split])
    x = modes.centers[labels] + modes.std * rng.standard_normal((SIZES[split], 2))
    return x.astype(np.float32), labels.astype(np.int32)


def load_swiss_roll(request: Request) -> Source:
    """Points along a spiral of one and a half turns, (t cos t, t sin t) for t from 1.5 pi to 4.5 pi.

    Each coordinate has normal noise of standard deviation 0.25; everything is divided by 7.5. 100,000 points in
    "train", 10,000 in "test".
    Source: scikit-learn's `make_swiss_roll` without its width, scaled as by the code of arXiv:1704.00028.
    Shapes: float32 (2,).
    Raises: InputError if a size or channels of images are asked for.
    """
    request.refuse_image_form("points in the plane")
    x, _ = read_splits(request.split, SIZES, lambda split: (_roll(split), None))
    return in_memory(request.name, request.split, x, None)


def _roll(split: str) -> np.ndarray:
    rng = np.random.default_rng((2, list(SIZES).index(split)))
    t = 1.5 * np.pi * (1 + 2 * rng.random(SIZES[split]))
    spiral = np.stack([t * np.cos(t), t * np.sin(t)], 1)
    return ((spiral + 0.25 * rng.standard_normal(spiral.shape)) / 7.5).astype(np.float32)


def load_arc(request: Request) -> Source:
    """Three quarters of an ellipse near a plane in space, with noise: two directions explain most of the variance.

    x = cos a + sin a / 2, y = 0.7 sin a, z = 0.1 x + 0.3 y, with normal noise of standard deviation 0.05, 0.05 and 0.1.
    Shapes: float32 (3,).
    Raises: InputError if a size or channels of images are asked for.
    """
    request.refuse_image_form("points in space")
    x, _ = read_splits(request.split, ARC_SIZES, lambda split: (_arc(split), None))
    return in_memory(request.name, request.split, x, None)


def _arc(split: str) -> np.ndarray:
    rng = np.random.default_rng((3, list(ARC_SIZES).index(split)))
    angle = rng.random(ARC_SIZES[split]) * 1.5 * np.pi - 0.5
    noise = rng.standard_normal((3, ARC_SIZES[split]))
    x = np.cos(angle) + np.sin(angle) / 2 + 0.05 * noise[0]
    y = 0.7 * np.sin(angle) + 0.05 * noise[1]
    return np.stack([x, y, 0.1 * x + 0.3 * y + 0.1 * noise[2]], 1).astype(np.float32)
