"""Colored ellipses before a sky, drawn at any size: images to try nets of many pixels on, without any data.

An image is of its number alone: `shapes_64` shows what `shapes_1024` shows, with fewer pixels.
"""

import numpy as np

MOST = 6
"""Ellipses in an image, at least one."""


def draw(number: int, side: int) -> np.ndarray:
    """One image. Shapes: -> uint8 [side, side, 3]."""
    rng = np.random.default_rng((4, int(number)))
    y, x = ((np.mgrid[:side, :side] + 0.5) / side).astype(np.float32)
    top, bottom = rng.uniform(90, 255, (2, 3))
    image = top + (bottom - top) * y[..., None]
    for _ in range(rng.integers(1, MOST + 1)):
        center, radii, angle = rng.uniform(0.15, 0.85, 2), rng.uniform(0.05, 0.3, 2), rng.uniform(0, np.pi)
        across = (x - center[0]) * np.cos(angle) + (y - center[1]) * np.sin(angle)
        along = (y - center[1]) * np.cos(angle) - (x - center[0]) * np.sin(angle)
        beyond = (np.hypot(across / radii[0], along / radii[1]) - 1) * radii.min() * side  # about pixels to the edge
        cover = np.clip(0.5 - beyond, 0, 1)[..., None]
        image = image + cover * (rng.uniform(0, 255, 3) - image)
    return np.round(image).astype(np.uint8)
