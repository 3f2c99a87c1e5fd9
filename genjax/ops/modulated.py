"""Convolution whose kernel each example scales for itself: StyleGAN2's in place of instance normalization.

Source: arXiv:1912.04958, section 2.2.
"""

import jax
import jax.numpy as jnp
from jax import lax

from genjax.ops.conv import conv, conv_transpose
from genjax.ops.resample import SMOOTH, upfirdn2d


def modulated_conv(x, w, style, demodulate: bool = True, up: bool = False, fused: bool = False):
    """Convolve each example with w, scaled along inputs by the style and then, for each output, to length one.

    Length one keeps the variance of inputs that are independent. `up` doubles the sides, with the filter `SMOOTH`.
    `fused` makes each example's kernel, as eqs. 1 and 3 are written; else the maps are scaled, before and after a
    convolution that all examples share: the same, since it is linear.
    Shapes: x [B, H, W, I], w [h, w, I, O] (He's constant in it), style [B, I] -> [B, H or 2H, W or 2W, O].
    """
    convolve = _enlarging if up else conv
    if fused:
        kernels = w * style[:, None, None, :, None]
        if demodulate:
            kernels *= lax.rsqrt(jnp.sum(kernels**2, (1, 2, 3), keepdims=True) + 1e-8)
        return jax.vmap(lambda x, w: convolve(x[None], w)[0])(x, kernels)
    y = convolve(x * style[:, None, None], w)
    if demodulate:
        y *= lax.rsqrt(style**2 @ jnp.sum(w**2, (0, 1)) + 1e-8)[:, None, None]
    return y


def _enlarging(x, w):
    """A zero beside, below and across each pixel, the 3x3 kernel over all places that it meets pixels from, a filter.

    The filter sums to four, since one pixel of four is not zero. The kernel is turned because the transposed
    convolution lays it down where `conv` reads through it.
    """
    spread = conv_transpose(x, w[::-1, ::-1].swapaxes(2, 3), stride=(2, 2), padding="VALID")  # 2H + 1, 2W + 1
    return 4 * upfirdn2d(spread, SMOOTH, widen=-1)
