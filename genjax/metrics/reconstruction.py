"""How far reconstructions are from what was to be restored, a number an image.

One float64 a pair, a mean over its numbers: the mean of all pairs is then the same however they were batched.
Shapes: x (what was to be restored), y (its reconstruction) [N, ...], values in [0, 1] -> float64 [N].
Raises: InputError for shapes that differ, NaN, or values outside [0, 1].
"""

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks
from genjax.metrics.ms_ssim import ssim

__all__ = ["bce", "mse", "psnr", "rounded_accuracy", "ssim"]


def bce(x, y):
    """Binary cross-entropy -x log y - (1 - x) log(1 - y), in nats; logarithms are -100 at least, as in PyTorch."""
    x, y = _pairs(x, y)
    with np.errstate(divide="ignore"):
        logs, others = np.maximum(np.log(y), -100), np.maximum(np.log1p(-y), -100)
    return -np.mean(x * logs + (1 - x) * others, axis=1)


def mse(x, y):
    """Mean squared error."""
    x, y = _pairs(x, y)
    return np.mean((x - y) ** 2, axis=1)


def psnr(x, y):
    """Peak signal-to-noise ratio -10 log10 mse, in decibels; infinite for a perfect copy."""
    with np.errstate(divide="ignore"):
        return -10 * np.log10(mse(x, y))


def rounded_accuracy(x, y):
    """Share of numbers that round to the same of 0 and 1 (a half rounds to 0, as in Keras)."""
    x, y = _pairs(x, y)
    return np.mean(np.round(x) == np.round(y), axis=1)


def _pairs(x, y):
    checks.same_shape("x", np.asarray(x), "y", np.asarray(y))
    x, y = (checks.table(name, z).astype(np.float64) for name, z in (("x", x), ("y", y)))
    for name, z in (("x", x), ("y", y)):
        if z.min() < 0 or z.max() > 1:
            raise InputError(f"{name} has values from {z.min():.4g} to {z.max():.4g}: expected [0, 1]; rescale first.")
    return x, y
