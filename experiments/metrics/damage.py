"""Known damage to sets of images: noise, blur, missing classes. Each keeps the number of images."""

import numpy as np
from scipy.ndimage import gaussian_filter

from genjax.ops.pixels import quantize


def noise(images: np.ndarray, std: float) -> np.ndarray:
    """Images with Gaussian noise of `std` gray levels, the same noise at every strength, rounded and clipped to a byte.

    Shapes: uint8 [N, H, W, C] -> uint8 [N, H, W, C].
    """
    field = np.random.default_rng(0).standard_normal(images.shape, np.float32)
    return quantize(images + std * field)


def blur(images: np.ndarray, std: float) -> np.ndarray:
    """Images blurred by a Gaussian window of `std` pixels. Shapes: uint8 [N, H, W, C] -> uint8 [N, H, W, C]."""
    return quantize(gaussian_filter(images.astype(np.float32), (0, std, std, 0)))


def of_classes(labels: np.ndarray, classes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Positions of `count` examples of some classes, equally many of each up to one, none twice.

    Shapes: int [N], int [K] -> int [count].
    Raises: ValueError if a class has fewer examples than its share.
    """
    rng = np.random.default_rng(seed)
    shares = np.diff(np.linspace(0, count, len(classes) + 1).round().astype(int))
    chosen = [
        rng.choice(np.flatnonzero(labels == label), share, replace=False)
        for label, share in zip(classes, shares, strict=True)
    ]
    return np.concatenate(chosen)
