"""Errors of reconstructions, one float64 per pair.

Each is a mean over the numbers of one example, so that the mean over a data set does not depend on its batches.
Shapes: x (originals), y (reconstructions) [N, ...], values in [0, 1] -> float64 [N].
Raises: InputError for shapes that differ, NaN, or values outside [0, 1].
"""

import numpy as np

from genjax.errors import InputError
from genjax.metrics import blocks, checks
from genjax.metrics.similarity import ssim

__all__ = ["bce", "mse", "psnr", "rounded_accuracy", "ssim"]


def bce(x, y):
    """Binary cross-entropy -x log y - (1 - x) log(1 - y), in nats; logarithms are clipped at -100, as in PyTorch."""

    def entropy(x, y):
        with np.errstate(divide="ignore"):
            log_one = np.maximum(np.log(y), -100)
            log_zero = np.maximum(np.log1p(-y), -100)
        return -np.mean(x * log_one + (1 - x) * log_zero, axis=1)

    return _each(entropy, x, y)


def mse(x, y):
    """Mean squared error."""
    return _each(lambda x, y: np.mean((x - y) ** 2, axis=1), x, y)


def psnr(x, y):
    """Peak signal-to-noise ratio -10 log10 mse, in decibels; infinite for a perfect copy."""
    with np.errstate(divide="ignore"):
        return -10 * np.log10(mse(x, y))


def rounded_accuracy(x, y):
    """Share of numbers that round to the same value, 0 or 1 (a half rounds to 0, as in Keras)."""
    return _each(lambda x, y: np.mean(np.round(x) == np.round(y), axis=1), x, y)


def _each(measure, x, y):
    """One number per pair; `measure` gets float64 [n, D], in blocks."""
    checks.same_shape("x", np.asarray(x), "y", np.asarray(y))
    x, y = (checks.table(name, z) for name, z in (("x", x), ("y", y)))
    for name, z in (("x", x), ("y", y)):
        if z.min() < 0 or z.max() > 1:
            raise InputError(f"{name} has values from {z.min():.4g} to {z.max():.4g}: expected [0, 1]; rescale first.")
    parts = blocks.slices(len(x), x.shape[1:], len(x))
    return np.concatenate([measure(x[part].astype(np.float64), y[part].astype(np.float64)) for part in parts])
