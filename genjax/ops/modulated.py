"""StyleGAN2's modulated convolution: each example scales the kernel, in place of instance normalization.

Source: arXiv:1912.04958, section 2.2.
"""

import jax
import jax.numpy as jnp
from jax import lax

from genjax.ops.conv import conv, conv_transpose
from genjax.ops.resample import SMOOTH, upfirdn2d


def modulated_conv(x, w, style, demodulate: bool = True, up: bool = False, fused: bool = False):
    """Convolve each example with w, scaled along its inputs by the style, then to length one per output.

    Length one preserves the variance of independent inputs. `up` doubles the sides, with the filter `SMOOTH`. `fused`
    makes one kernel per example, as eqs. 1 and 3 are written. Otherwise maps are scaled before and after a convolution
    that all examples share, which is equal because the convolution is linear.
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
    """Insert zeros between pixels, convolve with a 3x3 kernel wherever it overlaps pixels, and filter.

    The filter sums to four, because one pixel in four is not zero. The kernel is rotated by 180 degrees because a
    transposed convolution is the adjoint of the cross-correlation `conv`.
    """
    spread = conv_transpose(x, w[::-1, ::-1].swapaxes(2, 3), stride=(2, 2), padding="VALID")  # 2H + 1, 2W + 1
    return 4 * upfirdn2d(spread, SMOOTH, widen=-1)
