"""Convolution with a kernel that each example scales for itself: StyleGAN2's replacement of instance normalization.

Source: arXiv:1912.04958, section 2.2.
"""

import jax.numpy as jnp
from jax import lax

from genjax.ops.conv import conv
from genjax.ops.filtered_conv import filtered_upsample_conv
from genjax.ops.shared import matmul, per_position


def modulated_conv(x, w, style, demodulate: bool = True, up: bool = False):
    """Convolve each example with w, its inputs scaled by the style and, if demodulated, each output to unit norm.

    Eqs. 1 and 3 scale the kernel; here: the maps are scaled instead, before and after a convolution with a kernel that
    all examples share, which is the same because a convolution is linear. Unit norm keeps the variance of independent
    inputs. `up` doubles the sides, with the filter `SMOOTH`.
    Shapes: x [B, H, W, I], w [h, w, I, O] (times He's constant), style [B, I] -> [B, H or 2H, W or 2W, O].
    """
    convolve = filtered_upsample_conv if up else conv
    y = convolve(x * per_position(style), w)
    if demodulate:
        y *= per_position(lax.rsqrt(matmul(style**2, jnp.sum(w**2, (0, 1))) + 1e-8))
    return y
