"""Convolution, its transpose and its kernel correlation: three bilinear maps closed under differentiation.

With a fixed geometry let

    C(x, w)  convolution            [B, H, W, I], [h, w, I, O] -> [B, H', W', O]
    T(y, w)  its transpose in x     [B, H', W', O], [h, w, I, O] -> [B, H, W, I]
    W(x, y)  its transpose in w     [B, H, W, I], [B, H', W', O] -> [h, w, I, O]

so that <C(x, w), y> = <x, T(y, w)> = <w, W(x, y)>. Each one's gradients are the other two, hence gradients of
gradients (a gradient penalty) never leave the three. XLA's CPU backend runs each of them fast as a *plain*
convolution but not as the gradient that autodiff would write, least of all inside a loop (docs/performance.md); on
other backends autodiff's form is right, and the three are plain `lax`.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

NHWC = ("NHWC", "HWIO", "NHWC")
Pads = tuple[tuple[int, int], tuple[int, int]]
LARGE = 2**20
"""Numbers: what makes as many is done phase by phase, or two columns at once, on CPU (docs/performance.md)."""

FEW = 24
"""Channels: large convolutions of no more are done two columns at once."""


@dataclass(frozen=True)
class Geometry:
    """The static part of a convolution: what is needed to transpose it."""

    size: tuple[int, int]  # of x
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: Pads

    @property
    def out_size(self) -> tuple[int, int]:
        """Height and width of y."""
        axes = zip(self.size, self.kernel, self.stride, self.dilation, self.pads, strict=True)
        return tuple((n + sum(pad) - (k - 1) * d - 1) // s + 1 for n, k, s, d, pad in axes)


def conv(x, w, *, stride=(1, 1), padding="SAME", dilation=(1, 1)):
    """Cross-correlate images with a kernel, as every deep-learning library's "convolution" does.

    Shapes: x [B, H, W, I], w [h, w, I, O] -> [B, H', W', O]; padding "SAME", "VALID" or ((top, bottom), (left, right)).
    """
    convolve = C if _on_cpu() else _convolve
    return convolve(_geometry(x.shape[1:3], w, stride, padding, dilation), x, w)


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
    transpose = T if _on_cpu() else _transpose
    return transpose(_geometry(size, w, stride, padding, dilation), y, w)


def upsample_conv(x, w):
    """`conv(enlarge(x), w)` of an odd kernel, in fewer than half the products, to rounding.

    A pixel of a block of 2 x 2 meets but 2 x 2 pixels of x through a 3x3 kernel: kernel entries that meet the same one
    are added up first. Shapes: x [B, H, W, I], w [h, w, I, O] -> [B, 2H, 2W, O].
    """
    w = jnp.pad(w, ((1, 1), (1, 1), (0, 0), (0, 0)))
    w = w[1:] + w[:-1]
    w = w[:, 1:] + w[:, :-1]
    return conv_transpose(x, w[::-1, ::-1].swapaxes(2, 3), stride=(2, 2))


def _geometry(size, w, stride, padding, dilation):
    kernel, stride, dilation = w.shape[:2], tuple(stride), tuple(dilation)
    if isinstance(padding, str):
        extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        padding = lax.padtype_to_pads(size, extent, stride, padding)
    return Geometry(tuple(size), tuple(kernel), stride, dilation, tuple((int(lo), int(hi)) for lo, hi in padding))


def _on_cpu():
    return jax.default_backend() == "cpu"


def _materialize(x):
    """Keep XLA's CPU backend from folding a transposition into the convolution, where it would leave the fast path."""
    return lax.optimization_barrier(x) if _on_cpu() else x


def _convolve(g, x, w):
    if _on_cpu() and w.shape[2] == 1 and x.dtype.itemsize >= 4:
        return _sum_of_taps(g, x, w)
    if g.stride == g.dilation == (1, 1) and _of_few(x, w, g.out_size):
        return _two_columns(x, w, g.pads)
    return lax.conv_general_dilated(x, w, g.stride, g.pads, rhs_dilation=g.dilation, dimension_numbers=NHWC)


def _sum_of_taps(g, x, w):
    """The convolution of images of one channel: for each entry of the kernel, the pixels that it meets, times it."""
    edges = [(0, 0, 0), *((lo, hi, 0) for lo, hi in g.pads), (0, 0, 0)]
    x = _materialize(lax.pad(x, jnp.zeros((), x.dtype), edges))

    def met(axis, tap):
        first = tap * g.dilation[axis]
        return slice(first, first + (g.out_size[axis] - 1) * g.stride[axis] + 1, g.stride[axis])

    return _materialize(sum(x[:, met(0, i), met(1, j)] * w[i, j] for i, j in np.ndindex(g.kernel)))


def _of_few(x, w, out_size):
    """Whether two columns at once are faster."""
    fits = w.shape[1] > 1 and max(w.shape[2:]) <= FEW and x.dtype.itemsize >= 4 and out_size[1] % 2 == 0
    return _on_cpu() and fits and len(x) * math.prod(out_size) * w.shape[3] >= LARGE


def _two_columns(x, w, pads):
    """The convolution with two pixels of a row at each place, as twice the channels: of few, products are small."""
    w = jnp.stack([jnp.pad(w, ((0, 0), edge, (0, 0), (0, 0))) for edge in ((0, 1), (1, 0))], 3)
    w = _materialize(w.reshape(*w.shape[:3], -1))
    y = lax.conv_general_dilated(x, w, (1, 2), pads, dimension_numbers=NHWC)
    return y.reshape(*y.shape[:2], 2 * y.shape[2], y.shape[3] // 2)


def _transpose(g, y, w):
    large = y.shape[0] * g.size[0] * g.size[1] * w.shape[2] >= LARGE
    reached = all(k >= s for k, s in zip(g.kernel, g.stride, strict=True))
    if _on_cpu() and large and reached and max(g.stride) > 1 and g.dilation == (1, 1):
        return _phase_by_phase(g, y, w)
    w = _materialize(w[::-1, ::-1].swapaxes(2, 3))
    axes = zip(g.size, g.out_size, g.kernel, g.stride, g.dilation, g.pads, strict=True)
    pads = [((k - 1) * d - lo, n - (m - 1) * s - 1 + lo) for n, m, k, s, d, (lo, _) in axes]
    if g.stride == g.dilation == (1, 1) and _of_few(y, w, g.size):
        return _two_columns(y, w, pads)
    dilations = {"lhs_dilation": g.stride, "rhs_dilation": g.dilation}
    return lax.conv_general_dilated(y, w, (1, 1), pads, **dilations, dimension_numbers=NHWC)


def _phase_by_phase(g, y, w):
    """The transposed convolution as a plain one for each place within a stride, woven together.

    Every s-th output pixel along an axis meets the same entries of the kernel, every s-th one.
    """
    rows, columns = map(list, map(_phases, g.size, g.out_size, g.kernel, g.stride, g.pads))

    def paint(row, column):
        taps = _materialize(w[row[0], column[0]][::-1, ::-1].swapaxes(2, 3))
        return lax.conv_general_dilated(y, taps, (1, 1), (row[1], column[1]), dimension_numbers=NHWC)

    x = jnp.stack([jnp.stack([paint(row, column) for column in columns], 3) for row in rows], 2)
    x = x.reshape(x.shape[0], x.shape[1] * x.shape[2], x.shape[3] * x.shape[4], x.shape[5])
    return _materialize(x[:, : g.size[0], : g.size[1]])


def _phases(size, out_size, kernel, stride, pads):
    """For each place within a stride, along one axis: the kernel's entries that meet it, and how y is padded then."""
    count = -(-size // stride)
    for place in range(stride):
        first = (place + pads[0]) % stride
        last = (place + pads[0]) // stride  # of y's pixels, the one that entry `first` lays on the first output pixel
        entries = len(range(first, kernel, stride))
        yield slice(first, kernel, stride), (entries - 1 - last, count + last - out_size)


def _correlate(g, x, y):
    x = _materialize(x.transpose(3, 1, 2, 0))  # channels become the examples, examples the channels to be summed
    y = _materialize(y.transpose(1, 2, 0, 3))
    axes = zip(g.size, g.out_size, g.kernel, g.stride, g.dilation, g.pads, strict=True)
    pads = [(lo, (k - 1) * d + (m - 1) * s + 1 - n - lo) for n, m, k, s, d, (lo, _) in axes]
    w = lax.conv_general_dilated(x, y, g.dilation, pads, rhs_dilation=g.stride, dimension_numbers=NHWC)
    return _materialize(w).transpose(1, 2, 0, 3)


C = jax.custom_vjp(_convolve, nondiff_argnums=(0,))
T = jax.custom_vjp(_transpose, nondiff_argnums=(0,))
W = jax.custom_vjp(_correlate, nondiff_argnums=(0,))

C.defvjp(lambda g, x, w: (C(g, x, w), (x, w)), lambda g, xw, t: (T(g, t, xw[1]), W(g, xw[0], t)))
T.defvjp(lambda g, y, w: (T(g, y, w), (y, w)), lambda g, yw, t: (C(g, t, yw[1]), W(g, t, yw[0])))
W.defvjp(lambda g, x, y: (W(g, x, y), (x, y)), lambda g, xy, t: (T(g, xy[1], t), C(g, xy[0], t)))
