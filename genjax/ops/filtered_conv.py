"""Convolutions that double or halve the sides with a low-pass filter, as StyleGAN2's do.

The filter is behind the doubling and before the halving, so that nothing is folded over.
Source: arXiv:1912.04958, section 4.2, the authors' upsample_conv_2d and conv_downsample_2d.
"""

from genjax.ops.conv import conv, conv_transpose
from genjax.ops.conv_maps import transposed_kernel
from genjax.ops.resample import SMOOTH, upfirdn2d


def filtered_upsample_conv(x, w):
    """Zeros between the pixels, the 3x3 kernel wherever it meets a pixel, then the filter `SMOOTH`.

    The filter sums to four because one pixel of four is not zero. The kernel is turned because the transposed
    convolution paints with it, while `conv` reads through it. Shapes: x [B, H, W, I], w [3, 3, I, O] -> [B, 2H, 2W, O].
    """
    spread = conv_transpose(x, transposed_kernel(w), stride=(2, 2), padding="VALID")  # 2H + 1, 2W + 1
    return 4 * upfirdn2d(spread.astype(w.dtype), SMOOTH, pad=-1, dtype=spread.dtype)


def filtered_downsample_conv(x, w):
    """The filter `SMOOTH`, then the kernel, 1x1 or 3x3, at every second pixel; images are rounded to the kernel's type.

    Shapes: x [B, H, W, I] of even sides, w [h, w, I, O] -> [B, H / 2, W / 2, O].
    """
    x = x.astype(w.dtype)
    if w.shape[:2] == (1, 1):  # the pixels that are left out are not filtered
        return conv(upfirdn2d(x, SMOOTH, down=2), w)
    return conv(upfirdn2d(x, SMOOTH, pad=1), w, stride=(2, 2), padding="VALID")
