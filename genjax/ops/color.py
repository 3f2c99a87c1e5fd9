"""Colors (r, g, b, 1) under a matrix [4, 4], of values in [-1, 1], where 0 is the middle gray.

Source: arXiv:2006.06676, appendix B. The gray axis is r = g = b, luma the place along it.
"""

import jax.numpy as jnp
import numpy as np

SAME = np.eye(4, dtype=np.float32)
COLOR = np.diag(np.float32([1, 1, 1, 0]))
ADDED = np.outer(np.float32([1, 1, 1, 0]), SAME[3])
LUMA = np.pad(np.full((3, 3), np.float32(1 / 3)), (0, 1))  # the projection on the gray axis
ASIDE = np.pad(np.cross(np.eye(3), np.full(3, 3**-0.5)), (0, 1)).astype(np.float32)  # its cross product with a color


def brightness(amount):
    """The amount added to all three."""
    return SAME + amount * ADDED


def contrast(factor):
    """All three times the factor."""
    return SAME + (factor - 1) * COLOR


def luma_flip(on=1):
    """Dark for light, hue and saturation kept: the reflection at the plane across the gray axis."""
    return SAME - 2 * on * LUMA


def hue(angle):
    """The colors turned about the gray axis, red towards green for angles above zero."""
    return SAME + jnp.sin(angle) * ASIDE + (1 - jnp.cos(angle)) * (LUMA - COLOR)


def saturation(factor):
    """The distance from the gray axis times the factor."""
    return SAME + (factor - 1) * (COLOR - LUMA)


def recolor(x, matrix):
    """An image's colors under a matrix: to the bit the image for the matrix that changes nothing.

    A gray image is one of three equal colors: it stays gray, and hue and saturation do nothing to it.
    Shapes: x [H, W, C] with C = 1 or 3, kept.
    """
    y = (matrix[:3, :3] * x[..., None, :]).sum(-1) + matrix[:3, 3]  # no matrix product: it may be of low precision
    return jnp.where((matrix == SAME).all(), x, y[..., : x.shape[-1]])
