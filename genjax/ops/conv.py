"""Convolutions as layers have them: padding by name, and the form that suits the backend.

The mathematics is in `genjax.ops.conv_maps`. On CPU the forms of `genjax.ops.cpu.convolution` are used, and their
gradients are of the same forms; elsewhere each map is one `lax` convolution.

Images are rounded to the kernel's type, and results are of `sum_type`. So with kernels in bfloat16 a CPU computes in
float32 up to the next layer, and rounds there once, instead of in software after each operation, as XLA does.
"""

import jax.numpy as jnp
from jax import lax

from genjax.ops import backend, conv_maps
from genjax.ops.conv_maps import Geometry
from genjax.ops.cpu import convolution
from genjax.ops.shared import sum_type

PLAIN_C, PLAIN_T, _ = conv_maps.closed(conv_maps.C, conv_maps.T, conv_maps.correlate)


def conv(x, w, *, stride=(1, 1), padding="SAME", dilation=(1, 1)):
    """Cross-correlate images with a kernel, as every deep-learning library's "convolution" does.

    Shapes: x [B, H, W, I], w [h, w, I, O] -> [B, H', W', O]; padding "SAME", "VALID" or ((top, bottom), (left, right)).
    """
    C = convolution.C if backend.on_cpu() else PLAIN_C
    y = C(geometry(x.shape[1:3], w, stride, padding, dilation), x.astype(w.dtype), w)
    return y.astype(sum_type(y))


def conv_transpose(y, w, *, stride=(1, 1), padding="SAME", dilation=(1, 1)):
    """Transpose of `conv`: the layer that paints each input pixel as a kernel-sized stroke.

    Shapes: y [B, H, W, O], w [h, w, I, O] -> [B, H', W', I], with H' = H * stride for "SAME" and
    H * stride + max(h - stride, 0) for "VALID". The kernel's layout is Keras', and Flax's with `transpose_kernel=True`.
    """
    if padding == "SAME":
        size = tuple(n * s for n, s in zip(y.shape[1:3], stride, strict=True))
    else:  # the smallest x that a convolution of this geometry maps to y, no smaller than its strides cover
        pads = ((0, 0), (0, 0)) if padding == "VALID" else padding
        axes = zip(y.shape[1:3], w.shape[:2], stride, dilation, pads, strict=True)
        size = tuple((n - 1) * s + max((k - 1) * d + 1, s) - sum(pad) for n, k, s, d, pad in axes)
    T = convolution.T if backend.on_cpu() else PLAIN_T
    x = T(geometry(size, w, stride, padding, dilation), y.astype(w.dtype), w)
    return x.astype(sum_type(x))


def upsample_conv(x, w):
    """`conv(upsample2x(x), w)` of an odd kernel, in fewer than half the products, equal up to rounding.

    A 3x3 kernel over a block of 2x2 equal pixels covers only 2x2 pixels of x: the kernel entries that meet the same
    pixel are added up first. Shapes: x [B, H, W, I], w [h, w, I, O] -> [B, 2H, 2W, O].
    """
    return conv_transpose(x, conv_maps.transposed_kernel(_doubled(w)), stride=(2, 2))


def pooled_conv(x, w):
    """`downsample2x(conv(x, w))` of an odd kernel and even sides, in fewer than half the products, up to rounding.

    The mean of four results of a 3x3 kernel is one of a 4x4 kernel, four shifted copies of the first, at every second
    pixel. Shapes: x [B, H, W, I], w [h, w, I, O] -> [B, H / 2, W / 2, O].
    """
    pads = tuple((k // 2, k // 2) for k in w.shape[:2])
    return conv(x, _doubled(w) / 4, stride=(2, 2), padding=pads)


def _doubled(w):
    """The sum of a kernel and its copies one pixel further down, right and both.

    Shapes: [h, w, I, O] -> [h + 1, w + 1, I, O].
    """
    w = jnp.pad(w, ((1, 1), (1, 1), (0, 0), (0, 0)))
    w = w[1:] + w[:-1]
    return w[:, 1:] + w[:, :-1]


def geometry(size, w, stride, padding, dilation) -> Geometry:
    """The geometry of a convolution of images of this size; padding as in `conv`."""
    kernel = w.shape[:2]
    if isinstance(padding, str):
        extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        padding = lax.padtype_to_pads(size, extent, stride, padding)
    pads = tuple((int(low), int(high)) for low, high in padding)
    return Geometry(tuple(size), tuple(kernel), tuple(stride), tuple(dilation), pads)
