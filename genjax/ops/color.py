"""Matrices [4, 4] that change colors (r, g, b, 1), of values in [-1, 1], where 0 is middle gray.

The gray axis is r = g = b; luma is the position along it. Source: arXiv:2006.06676, appendix B.
"""

import jax.numpy as jnp
import numpy as np

IDENTITY = np.eye(4, dtype=np.float32)
COLOR = np.diag(np.float32([1, 1, 1, 0]))
OFFSET = np.outer(np.float32([1, 1, 1, 0]), IDENTITY[3])
LUMA = np.pad(np.full((3, 3), np.float32(1 / 3)), (0, 1))  # the projection on the gray axis
CROSS = np.pad(np.cross(np.eye(3), np.full(3, 3**-0.5)), (0, 1)).astype(np.float32)  # its cross product with a color


def brightness(amount):
    """Add an amount to all three channels."""
    return IDENTITY + amount * OFFSET


def contrast(factor):
    """Multiply all three channels by a factor."""
    return IDENTITY + (factor - 1) * COLOR


def luma_flip(on=1):
    """Invert luma and keep hue and saturation: the reflection at the plane across the gray axis."""
    return IDENTITY - 2 * on * LUMA


def hue(angle):
    """Turn colors about the gray axis by an angle in radians, red towards green if it is positive."""
    return IDENTITY + jnp.sin(angle) * CROSS + (1 - jnp.cos(angle)) * (LUMA - COLOR)


def saturation(factor):
    """Multiply the distance from the gray axis by a factor."""
    return IDENTITY + (factor - 1) * (COLOR - LUMA)


def recolor(x, matrix):
    """Apply a matrix to an image's colors; the identity gives the image back to the bit.

    A gray image counts as one with three equal channels: it stays gray, and hue and saturation do not change it.
    Shapes: x [H, W, C] -> [H, W, C], C = 1 or 3.
    """
    y = (matrix[:3, :3] * x[..., None, :]).sum(-1) + matrix[:3, 3]  # no matrix product: it may be of low precision
    return jnp.where((matrix == IDENTITY).all(), x, y[..., : x.shape[-1]])
