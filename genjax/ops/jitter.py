"""Random jitter: an image is enlarged, and a random part of its own size is kept."""

import jax
import jax.numpy as jnp

from genjax.ops import noise
from genjax.ops.resize import bilinear


def jitter(x, pixels: int, key):
    """Images enlarged by some pixels on each axis, bilinearly, and cropped at random to their size.

    Shapes: float [B, H, W, C], kept. Source: arXiv:1611.07004, section 6.2.
    """
    height, width = x.shape[1:3]
    larger = bilinear(x, (height + pixels, width + pixels))
    places = jnp.floor(noise.uniform(key, len(x), (2,)) * (pixels + 1)).astype(jnp.int32)

    def crop(x, place):
        return jax.lax.dynamic_slice(x, (*place, jnp.int32(0)), (height, width, x.shape[2]))

    return jax.vmap(crop)(larger, places)
