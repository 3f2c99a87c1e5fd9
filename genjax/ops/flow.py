"""Optical flow, as arithmetic on given flows: warping images along it, and where it can be trusted.

A flow from x to y has, at each pixel of x, how far to the right and how far down its point lies in y, in pixels.
"""

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates


@jax.jit
def warped(x, flow):
    """x at the places where the flow leads, between pixels bilinearly; beyond the border the border's pixels.

    With the flow from the next frame to this one, x, this is x moved to where things are in the next frame.
    Shapes: x [H, W, C], flow [H, W, 2] -> [H, W, C].
    """
    rows, columns = _places(flow)
    return jnp.stack([map_coordinates(c, [rows, columns], 1, mode="nearest") for c in jnp.moveaxis(x, 2, 0)], 2)


@jax.jit
def consistency(back, forth):
    """The pixels of a frame at which the last one is known: 1, or 0 where things come into sight or motion breaks.

    `back` is the flow from the next frame to the last one, `forth` the reverse. They shall cancel each other, and
    `back` shall lead into the image and be smooth.
    Shapes: [H, W, 2] twice -> [H, W, 1].
    Source: arXiv:1604.08610, section 4.2: disoccluded regions and motion boundaries.
    """
    returned = warped(forth, back)
    apart = jnp.square(back + returned).sum(-1)
    covered = apart > 0.01 * (jnp.square(returned).sum(-1) + jnp.square(back).sum(-1)) + 0.5
    slopes = sum(jnp.square(jnp.gradient(back, axis=axis)).sum(-1) for axis in (0, 1))
    breaks = slopes > 0.01 * jnp.square(back).sum(-1) + 0.002
    rows, columns = _places(back)
    height, width = back.shape[:2]
    inside = (rows >= 0) & (rows <= height - 1) & (columns >= 0) & (columns <= width - 1)
    return (inside & ~covered & ~breaks)[..., None].astype(back.dtype)


def _places(flow):
    """The row and the column to which each pixel's flow leads. Shapes: [H, W, 2] -> two [H, W]."""
    height, width = flow.shape[:2]
    return jnp.arange(height)[:, None] + flow[..., 1], jnp.arange(width)[None] + flow[..., 0]
