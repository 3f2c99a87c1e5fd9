"""Doubling and halving an image's sides, with or without a low-pass filter.

Shapes: x [B, H, W, C] throughout.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from genjax.errors import InputError
from genjax.ops import backend
from genjax.ops.cpu import filters
from genjax.ops.resize import bilinear
from genjax.ops.shared import sum_type

BINOMIAL = (1, 2, 1)
"""StyleGAN's filter: bilinear sampling. Source: arXiv:1812.04948, section 2.1."""

SMOOTH = (1, 3, 3, 1)
"""StyleGAN2's filter for all up- and downsampling, from its authors' code."""


def upsample2x(x):
    """Nearest neighbors: each pixel becomes a block of 2x2. Shapes: -> [B, 2H, 2W, C]."""
    batch, height, width, channels = x.shape
    x = jnp.broadcast_to(x[:, :, None, :, None], (batch, height, 2, width, 2, channels))
    return x.reshape(batch, 2 * height, 2 * width, channels)


def bilinear2x(x):
    """Twice the sides, pixel centers at half-integers: `bilinear` of `genjax.ops.resize`, up to rounding.

    Between two pixels lie one quarter and three quarters of each; the border repeats its last pixel.
    Shapes: -> [B, 2H, 2W, C].
    """
    if not backend.doubles_by_slices():
        return bilinear(x, (2 * x.shape[1], 2 * x.shape[2]))
    return _bilinear2x(x.astype(sum_type(x))).astype(x.dtype)


@jax.custom_vjp
def _bilinear2x(x):
    """Along each axis before[i] / 4 + 3 x[i] / 4 and 3 x[i] / 4 + after[i] / 4, in turn: one pass over the result."""
    for axis in (1, 2):
        before, after = _neighbors(x, x, axis)
        x = jnp.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis + 1)
        x = x.reshape(*x.shape[:axis], -1, *x.shape[axis + 2 :])
    return x


@jax.custom_vjp
def _transposed_bilinear2x(y):
    """The transpose of `_bilinear2x`, which autodiff writes as four passes. Shapes: [B, 2H, 2W, C] -> [B, H, W, C]."""
    for axis in (1, 2):
        pairs = y.reshape(*y.shape[:axis], -1, 2, *y.shape[axis + 1 :])
        even, odd = (jnp.take(pairs, i, axis + 1) for i in (0, 1))
        before, after = _neighbors(even, odd, axis)
        y = 0.75 * (even + odd) + 0.25 * (before + after)
    return y


_bilinear2x.defvjp(lambda x: (_bilinear2x(x), None), lambda _, g: (_transposed_bilinear2x(g),))
_transposed_bilinear2x.defvjp(lambda y: (_transposed_bilinear2x(y), None), lambda _, g: (_bilinear2x(g),))


def _neighbors(even, odd, axis: int):
    """The odd ones one place later, behind the first even one; the even ones one place earlier, before the last odd."""
    n = even.shape[axis]

    def part(x, start, stop):
        return lax.slice_in_dim(x, start, stop, axis=axis)

    before = jnp.concatenate([part(even, 0, 1), part(odd, 0, n - 1)], axis)
    return before, jnp.concatenate([part(even, 1, n), part(odd, n - 1, n)], axis)


def downsample2x(x):
    """The mean of each block of 2x2. Shapes: -> [B, H/2, W/2, C]. Raises: InputError for an odd side."""
    batch, height, width, channels = x.shape
    if height % 2 or width % 2:
        raise InputError(f"{height}x{width} pixels cannot be halved: expected even sides")
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def downsample_to(x, rows: int):
    """Halve x until its height is `rows`. Shapes: [B, H, W, C] -> [B, rows, W rows / H, C]. Raises: InputError."""
    while x.shape[1] > rows:
        x = downsample2x(x)
    return x


def upfirdn2d(x, taps=BINOMIAL, up: int = 1, down: int = 1, pad: int = 0, dtype=None):
    """Insert `up` - 1 zeros after each pixel, filter both axes, keep every `down`-th pixel.

    The taps are symmetric and scaled to sum to `up`, so constant images stay constant except near the border, beyond
    which are zeros. `pad` more pixels per axis (fewer, if negative) are left for a convolution that follows. `dtype` is
    the result's type, if not x's; on CPU sums are of `sum_type`.
    Shapes: -> [B, (H up + pad) / down, (W up + pad) / down, C].
    Source: arXiv:1912.04958, the authors' upfirdn_2d.
    """
    scaled = up * np.asarray(taps, float) / np.sum(taps)
    spare = len(taps) - max(up, down) + pad
    pads = ((spare + 1) // 2 + up - 1, spare // 2 + up - 1)
    f = Filter(tuple(scaled.tolist()), up, down, (pads, pads), x.shape[1:3])
    dtype = jnp.dtype(dtype or x.dtype)
    return _with_transpose(f, (x.dtype, dtype), x) if backend.on_cpu() else _filtered(f, x).astype(dtype)


class Filter(NamedTuple):
    """Zeros between the pixels, a filter along both axes, and a choice of pixels: a linear map."""

    taps: tuple[float, ...]
    up: int
    down: int
    pads: tuple[tuple[int, int], tuple[int, int]]  # zeros before and after each axis; fewer pixels, if negative
    size: tuple[int, int]  # of the images that it is for

    def transposed(self) -> "Filter":
        """Its transpose, another filter: what each pixel gave to the results, it gets from their gradients."""
        reach = len(self.taps) - 1
        pads = []
        for n, m, (low, _) in zip(self.size, self.out_size, self.pads, strict=True):
            before = reach - low
            pads.append((before, (n - 1) * self.up + reach - before - (m - 1) * self.down))
        return Filter(self.taps[::-1], self.down, self.up, tuple(pads), self.out_size)

    @property
    def out_size(self) -> tuple[int, int]:
        """Height and width of the results."""
        reach = len(self.taps) - 1
        axes = zip(self.size, self.pads, strict=True)
        return tuple(((n - 1) * self.up + sum(pads) - reach) // self.down + 1 for n, pads in axes)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _with_transpose(f: Filter, dtypes: tuple[jnp.dtype, jnp.dtype], x):
    """The filter with its transpose as gradient, for CPUs; types of x and of the result.

    Autodiff's gradient is a sum of as many padded maps as there are taps, each written to memory.
    """
    if filters.pays(f, x):
        return filters.filtered(f, dtypes[1], x)
    return _filtered(f, x.astype(sum_type(x))).astype(dtypes[1])


_with_transpose.defvjp(
    lambda f, dtypes, x: (_with_transpose(f, dtypes, x), None),
    lambda f, dtypes, _, gradient: (_with_transpose(f.transposed(), dtypes[::-1], gradient),),
)


def _filtered(f: Filter, x):
    """The filter in the form that suits the backend."""
    form = {"window": _as_window, "depthwise": _as_depthwise}.get(backend.filter_form(x.shape[-1]), _along_axes)
    return form(f, x)


def _along_axes(f: Filter, x):
    """The filter as two sums, along one axis after the other: two passes over the map."""
    for axis, pads in zip((1, 2), f.pads, strict=True):
        padded = _pad(x, axis, *pads, f.up - 1)
        end = padded.shape[axis] - len(f.taps) + 1
        x = sum(tap * lax.slice_in_dim(padded, i, i + end, f.down, axis) for i, tap in enumerate(f.taps))
    return x


def _as_window(f: Filter, x):
    """The filter as one sum over a window: more arithmetic, one pass over the map."""
    padded = _pad(_pad(x, 1, *f.pads[0], f.up - 1), 2, *f.pads[1], f.up - 1)
    batch, height, width, channels = padded.shape
    end = height - len(f.taps) + 1, width - len(f.taps) + 1

    def moved(i, j):
        return lax.slice(padded, (0, i, j, 0), (batch, i + end[0], j + end[1], channels), (1, f.down, f.down, 1))

    return sum(a * b * moved(i, j) for i, a in enumerate(f.taps) for j, b in enumerate(f.taps))


def _as_depthwise(f: Filter, x):
    """The filter as a convolution of each channel, in float32's precision."""
    kernel = jnp.asarray(np.outer(f.taps, f.taps), x.dtype)[:, :, None, None]
    return lax.conv_general_dilated(
        x,
        jnp.broadcast_to(kernel, (*kernel.shape[:3], x.shape[-1])),
        (f.down, f.down),
        f.pads,
        lhs_dilation=(f.up, f.up),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
        precision="highest",
    )


def _pad(x, axis: int, low: int, high: int, between: int):
    """x with zeros along an axis: before it (fewer numbers, if negative), after it, and after each number but the last.

    Shapes: [..., n, ...] -> [..., low + n + (n - 1) between + high, ...].
    """
    if not backend.pads():
        return _with_zeros(x, axis, low, high, between)
    edges = [(0, 0, 0)] * x.ndim
    edges[axis] = low, high, between
    return lax.pad(x, jnp.zeros((), x.dtype), edges)


def _with_zeros(x, axis: int, low: int, high: int, between: int):
    """`_pad` by stacking, concatenation and slices. Shapes: as there."""
    if between:
        shape = (*x.shape[:axis], x.shape[axis] * (1 + between), *x.shape[axis + 1 :])
        x = jnp.stack([x, *[jnp.zeros_like(x)] * between], axis + 1).reshape(shape)
    zero = jnp.zeros_like(lax.slice_in_dim(x, 0, 1, axis=axis))
    x = lax.slice_in_dim(x, max(-low, 0), x.shape[axis] - max(between - high, 0), axis=axis)
    return jnp.concatenate([*[zero] * max(low, 0), x, *[zero] * max(high - between, 0)], axis)
