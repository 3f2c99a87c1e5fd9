"""Convolution, its transpose and its kernel correlation: three bilinear maps closed under differentiation.

With a fixed geometry let

    C(x, w)  convolution            [B, H, W, I], [h, w, I, O] -> [B, H', W', O]
    T(y, w)  its transpose in x     [B, H', W', O], [h, w, I, O] -> [B, H, W, I]
    W(x, y)  its transpose in w     [B, H, W, I], [B, H', W', O] -> [h, w, I, O]

so that <C(x, w), y> = <x, T(y, w)> = <w, W(x, y)>. The gradients of each are the other two, so gradients of gradients
(a gradient penalty) never leave the three. Each one is a single `lax` convolution.

The argument `materialize` is applied to every array whose axes were rearranged, next to the convolution; see
`genjax.ops.cpu.barrier`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
from jax import Array, lax

from genjax.ops.shared import sum_over_devices

Pads = tuple[tuple[int, int], tuple[int, int]]

_convolve = partial(lax.conv_general_dilated, dimension_numbers=("NHWC", "HWIO", "NHWC"))


@dataclass(frozen=True)
class Geometry:
    """The static part of a convolution: all that is needed to transpose it."""

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

    @property
    def transpose_pads(self) -> Pads:
        """Padding of y, dilated by the stride, in T."""
        axes = zip(self.size, self.out_size, self.kernel, self.stride, self.dilation, self.pads, strict=True)
        return tuple(((k - 1) * d - lo, n - (m - 1) * s - 1 + lo) for n, m, k, s, d, (lo, _) in axes)

    @property
    def correlation_pads(self) -> Pads:
        """Padding of x in W."""
        axes = zip(self.size, self.out_size, self.kernel, self.stride, self.dilation, self.pads, strict=True)
        return tuple((lo, (k - 1) * d + (m - 1) * s + 1 - n - lo) for n, m, k, s, d, (lo, _) in axes)


def identity(x: Array) -> Array:
    """The array itself."""
    return x


def C(g: Geometry, x: Array, w: Array) -> Array:
    """The convolution. Shapes: as above."""
    return _convolve(x, w, g.stride, g.pads, rhs_dilation=g.dilation)


def T(g: Geometry, y: Array, w: Array, materialize: Callable[[Array], Array] = identity) -> Array:
    """The transpose of C in x. Shapes: as above."""
    w = materialize(transposed_kernel(w))
    return _convolve(y, w, (1, 1), g.transpose_pads, lhs_dilation=g.stride, rhs_dilation=g.dilation)


def W(g: Geometry, x: Array, y: Array, materialize: Callable[[Array], Array] = identity) -> Array:
    """The transpose of C in w: channels take the place of the batch, which is summed over. Shapes: as above."""
    x = materialize(x.transpose(3, 1, 2, 0))
    y = materialize(y.transpose(1, 2, 0, 3))
    w = materialize(_convolve(x, y, g.dilation, g.correlation_pads, rhs_dilation=g.stride))
    return w.transpose(1, 2, 0, 3)


def correlate(g: Geometry, x: Array, y: Array) -> Array:
    """W as autodiff writes it: axes change their meaning, not their place, which GPUs' libraries know the call by."""
    return lax.conv_general_dilated(
        x, y, g.dilation, g.correlation_pads, rhs_dilation=g.stride, dimension_numbers=("CHWN", "IHWO", "HWNC")
    )


def closed(C: Callable, T: Callable, W: Callable) -> tuple[Callable, Callable, Callable]:
    """The three maps in some forms, each with the other two as its gradients.

    Kernels' gradients are summed over devices as `genjax.ops.shared` says.
    """

    @partial(jax.custom_vjp, nondiff_argnums=(0,))
    def convolve(g, x, w):
        return C(g, x, w)

    @partial(jax.custom_vjp, nondiff_argnums=(0,))
    def transpose(g, y, w):
        return T(g, y, w)

    @partial(jax.custom_vjp, nondiff_argnums=(0,))
    def kernel_gradient(g, x, y):
        return sum_over_devices(partial(W, g), x, y)

    c, t, w = convolve, transpose, kernel_gradient
    c.defvjp(lambda g, *xw: (c(g, *xw), xw), lambda g, xw, d: (t(g, d, xw[1]), w(g, xw[0], d)))
    t.defvjp(lambda g, *yw: (t(g, *yw), yw), lambda g, yw, d: (c(g, d, yw[1]), w(g, d, yw[0])))
    w.defvjp(lambda g, *xy: (w(g, *xy), xy), lambda g, xy, d: (t(g, xy[1], d), c(g, xy[0], d)))
    return c, t, w


def transposed_kernel(w: Array) -> Array:
    """The kernel turned by half a circle. Shapes: [h, w, I, O] -> [h, w, O, I]."""
    return w[::-1, ::-1].swapaxes(2, 3)
