"""The images that a decoder gives over a plane of latents."""

from statistics import NormalDist

import numpy as np

from genjax.report.figures import grid

EDGE = 0.05
"""Probability that is left out at either end."""


def plane(side: int, mean=(0.0, 0.0), std=(1.0, 1.0)) -> np.ndarray:
    """A grid of quantiles of a normal distribution, evenly spaced in probability; the second one increases upwards.

    Shapes: mean, std [2] -> [side, side, 2].
    """
    quantiles = [NormalDist().inv_cdf(p) for p in np.linspace(EDGE, 1 - EDGE, side)]
    across, up = np.meshgrid(quantiles, quantiles[::-1])
    return np.stack([across, up], -1) * np.asarray(std) + np.asarray(mean)


def draw(images):
    """The images over a plane, without gaps. Shapes: uint8 [rows, columns, H, W, C]."""
    return grid(np.reshape(images, (-1, *images.shape[2:])), columns=images.shape[1], pad=0)
