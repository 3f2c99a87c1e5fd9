"""Colored ellipses on a vertical color gradient, drawn at any size, to try nets for large images without any data.

Image number n depends only on n: `shapes_64` shows the images of `shapes_1024` with fewer pixels.
"""

import numpy as np

MAX_ELLIPSES = 6
"""An image has 1 to this number of ellipses."""


def draw(number: int, side: int) -> np.ndarray:
    """Image number `number`. Shapes: -> uint8 [side, side, 3]."""
    rng = np.random.default_rng((4, int(number)))
    y, x = ((np.mgrid[:side, :side] + 0.5) / side).astype(np.float32)
    top, bottom = rng.uniform(90, 255, (2, 3))
    image = top + (bottom - top) * y[..., None]
    for _ in range(rng.integers(1, MAX_ELLIPSES + 1)):
        center = rng.uniform(0.15, 0.85, 2)
        radii = rng.uniform(0.05, 0.3, 2)
        angle = rng.uniform(0, np.pi)
        across = (x - center[0]) * np.cos(angle) + (y - center[1]) * np.sin(angle)
        along = (y - center[1]) * np.cos(angle) - (x - center[0]) * np.sin(angle)
        beyond = (np.hypot(across / radii[0], along / radii[1]) - 1) * radii.min() * side  # about pixels from the edge
        cover = np.clip(0.5 - beyond, 0, 1)[..., None]
        image = image + cover * (rng.uniform(0, 255, 3) - image)
    return np.round(image).astype(np.uint8)
