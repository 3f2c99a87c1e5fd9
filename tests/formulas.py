"""Layers of nets with the equalised learning rate, written again from their papers in NumPy and float64."""

import numpy as np
from scipy import signal


def leaky(x):
    """Leaky ReLU."""
    return np.where(x > 0, x, 0.2 * x)


def normed(x):
    """Pixel normalisation (arXiv:1710.10196, section 4.2)."""
    return x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-8)


def activated(x):
    """What follows a convolution of the generator."""
    return normed(leaky(x))


def dense(p, x, gain=2**0.5):
    """x W / sqrt(inputs) + b, times the gain (section 4.1)."""
    return x @ np.float64(p["kernel"]) * gain / np.sqrt(x.shape[-1]) + np.float64(p["bias"])


def conv(p, x, gain=2**0.5):
    """Cross-correlation with zeros beyond the border, the same for the weights."""
    w = np.float64(p["kernel"]) * gain / np.sqrt(np.prod(p["kernel"].shape[:3]))
    maps = lambda image, out: sum(  # noqa: E731
        signal.correlate2d(image[..., i], w[:, :, i, out], "same") for i in range(w.shape[2])
    )
    return np.stack([np.stack([maps(image, out) for out in range(w.shape[3])], -1) for image in x]) + np.float64(
        p["bias"]
    )


def blurred(x):
    """The filter [1, 2, 1] along both axes."""
    taps = np.outer([1, 2, 1], [1, 2, 1]) / 16
    one = lambda image: signal.convolve2d(image, taps, "same")  # noqa: E731
    return np.stack([np.stack([one(image[..., c]) for c in range(x.shape[3])], -1) for image in x])


def mean_of_blocks(x):
    """Half the sides, the mean of each block of 2 x 2."""
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def with_spread(x):
    """One map more, of the standard deviation over groups of four (section 3)."""
    spread = [np.mean(np.std(x[i : i + 4], 0)) for i in range(0, len(x), 4)]
    return np.concatenate([x, np.repeat(spread, 4)[:, None, None, None] * np.ones((*x.shape[:3], 1))], 3)
