"""Color transformations as matrices [4, 4] of (r, g, b, 1), with values in [-1, 1], where 0 is middle gray.

Source: arXiv:2006.06676, appendix B. The gray axis is r = g = b, and luma is the position along it.
"""

import jax.numpy as jnp
import numpy as np

SAME = np.eye(4, dtype=np.float32)
COLOR = np.diag(np.float32([1, 1, 1, 0]))
ADDED = np.outer(np.float32([1, 1, 1, 0]), SAME[3])
LUMA = np.pad(np.full((3, 3), np.float32(1 / 3)), (0, 1))  # the projection onto the gray axis
ASIDE = np.pad(np.cross(np.eye(3), np.full(3, 3**-0.5)), (0, 1)).astype(
    np.float32
)  # the cross product of the axis with a color


def brightness(amount):
    """Add an amount to all three colors."""
    return SAME + amount * ADDED


def contrast(factor):
    """Multiply all three colors by a factor."""
    return SAME + (factor - 1) * COLOR


def luma_flip(on=1):
    """Invert luma and keep hue and saturation: the reflection at the plane orthogonal to the gray axis."""
    return SAME - 2 * on * LUMA


def hue(angle):
    """Rotate colors about the gray axis, from red toward green for positive angles."""
    return SAME + jnp.sin(angle) * ASIDE + (1 - jnp.cos(angle)) * (LUMA - COLOR)


def saturation(factor):
    """Multiply the distance from the gray axis by a factor."""
    return SAME + (factor - 1) * (COLOR - LUMA)


def recolor(x, matrix):
    """Transform the colors of an image; the identity matrix gives the image back to the bit.

    A gray image counts as three equal colors: it stays gray, and hue and saturation do not change it.
    Shapes: x [H, W, C] with C = 1 or 3, kept.
    """
    y = (matrix[:3, :3] * x[..., None, :]).sum(-1) + matrix[:3, 3]  # no matrix product, whose precision may be low
    return jnp.where((matrix == SAME).all(), x, y[..., : x.shape[-1]])
