"""Points whose distribution is known: mixtures of Gaussians and a spiral in the plane, and an arc almost flat in space.

Source of the mixtures: arXiv:1712.04086 (PacGAN), section 4.1: "2D-ring" and "2D-grid".
"""

from dataclasses import dataclass

import numpy as np

from genjax.data.images import Form
from genjax.data.source import Source, in_memory
from genjax.data.splits import gather
from genjax.errors import InputError

SIZES = {"train": 100_000, "test": 10_000}


@dataclass(frozen=True)
class Mixture:
    """Equally likely round Gaussians: centers float64 [modes, 2] and their one standard deviation."""

    centers: np.ndarray
    std: float


def mixture(name: str) -> Mixture:
    """The distribution behind `ring8` (eight modes on the unit circle) or `grid25` (5 x 5 modes, two apart)."""
    if name == "ring8":
        d = np.sqrt(0.5)  # spelled out, because cos and sin differ between systems in the last bit
        ring = [(1, 0), (d, d), (0, 1), (-d, d), (-1, 0), (-d, -d), (0, -1), (d, -d)]
        return Mixture(np.array(ring, np.float64), 0.01)
    if name == "grid25":
        side = range(-4, 5, 2)
        return Mixture(np.array([(i, j) for i in side for j in side], np.float64), 0.05)
    raise InputError(f"{name!r} is not a mixture: expected 'ring8' or 'grid25'.")


def load_mixture(name: str, split: str, form: Form) -> Source:
    """Fixed points from the mixture, 100,000 in "train" and 10,000 in "test"; the label of a point is its mode.

    Shapes: float32 (2,).
    Raises: InputError if an image's size or channels are asked for.
    """
    if form.size or form.channels:
        raise InputError(f"{name} has points in the plane, not images: leave data.size and data.channels unset.")
    distribution = mixture(name)
    x, labels = gather(split, SIZES, lambda part: _draw(distribution, part))
    return in_memory(name, split, x, labels, [str(mode) for mode in range(len(distribution.centers))])


def _draw(distribution: Mixture, part: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng((len(distribution.centers), list(SIZES).index(part)))
    labels = rng.integers(len(distribution.centers), size=SIZES[part])
    x = distribution.centers[labels] + distribution.std * rng.standard_normal((SIZES[part], 2))
    return x.astype(np.float32), labels.astype(np.int32)


def load_swiss_roll(split: str, form: Form) -> Source:
    """Points along a spiral of one and a half turns, (t cos t, t sin t) for t from 1.5 pi to 4.5 pi.

    Each coordinate has normal noise of 0.25; all is divided by 7.5. 100,000 points in "train", 10,000 in "test".
    Source: scikit-learn's `make_swiss_roll` without its width, scaled as by the code of arXiv:1704.00028.
    Shapes: float32 (2,).
    Raises: InputError if an image's size or channels are asked for.
    """
    if form.size or form.channels:
        raise InputError("swiss_roll has points in the plane, not images: leave data.size and data.channels unset.")
    x, _ = gather(split, SIZES, lambda part: (_roll(part), None))
    return in_memory("swiss_roll", split, x, None)


def _roll(part: str) -> np.ndarray:
    rng = np.random.default_rng((2, list(SIZES).index(part)))
    t = 1.5 * np.pi * (1 + 2 * rng.random(SIZES[part]))
    spiral = np.stack([t * np.cos(t), t * np.sin(t)], 1)
    return ((spiral + 0.25 * rng.standard_normal(spiral.shape)) / 7.5).astype(np.float32)


ARC_SIZES = {"train": 1000, "test": 200}


def load_arc(split: str, form: Form) -> Source:
    """Three quarters of an ellipse, thickened by noise, in a plane of space: two directions tell most of a point.

    x = cos a + sin a / 2, y = 0.7 sin a, z = 0.1 x + 0.3 y, each with normal noise of 0.05, 0.05 and 0.1.
    Shapes: float32 (3,).
    Raises: InputError if an image's size or channels are asked for.
    """
    if form.size or form.channels:
        raise InputError("arc3d has points in space, not images: leave data.size and data.channels unset.")
    x, _ = gather(split, ARC_SIZES, lambda part: (_arc(part), None))
    return in_memory("arc3d", split, x, None)


def _arc(part: str) -> np.ndarray:
    rng = np.random.default_rng((3, list(ARC_SIZES).index(part)))
    angle = rng.random(ARC_SIZES[part]) * 1.5 * np.pi - 0.5
    noise = rng.standard_normal((3, ARC_SIZES[part]))
    x = np.cos(angle) + np.sin(angle) / 2 + 0.05 * noise[0]
    y = 0.7 * np.sin(angle) + 0.05 * noise[1]
    return np.stack([x, y, 0.1 * x + 0.3 * y + 0.1 * noise[2]], 1).astype(np.float32)
