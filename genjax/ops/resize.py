"""Bilinear resizing, in the two conventions that published feature nets use."""

import jax
import jax.numpy as jnp
import numpy as np


def bilinear(x, size):
    """Resize with pixel centers at half-integers and, when shrinking, a widened triangle filter against aliasing.

    As Pillow's BILINEAR, but in floats. Shapes: x [B, H, W, C] float32 -> [B, *size, C].
    """
    return jax.image.resize(x, (x.shape[0], *size, x.shape[3]), "linear", precision="highest")


def bilinear_tf1(x, size):
    """Resize as TensorFlow 1 did: pixel (i, j) of the result lies at (i H / H', j W / W'); no antialiasing.

    Positions, weights and the order of the sums are the original's, in float32. Results can differ by one rounding
    where the compiler fuses a product and a sum. Shapes: x [B, H, W, C] float32 -> [B, *size, C].
    """
    left, right, across = _neighbors(x.shape[2], size[1])
    x = _between(x[:, :, left], x[:, :, right], across[:, None])
    top, bottom, down = _neighbors(x.shape[1], size[0])
    return _between(x[:, top], x[:, bottom], down[:, None, None])


def _neighbors(old, new):
    """For each new pixel on an axis: the old pixel before it, the one after, and the fraction of the way between."""
    place = np.arange(new, dtype=np.float32) * (np.float32(old) / np.float32(new))
    before = np.floor(place)
    return before.astype(int), np.minimum(before + 1, old - 1).astype(int), jnp.asarray(place - before)


def _between(a, b, t):
    return a + (b - a) * t
