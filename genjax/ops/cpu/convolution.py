"""The three maps of `genjax.ops.conv_maps` in the forms that are fast on CPU; each one's gradients are the other two.

XLA's CPU backend runs each map fast as a plain convolution, but not as the gradient that autodiff would write, least of
all inside a loop: there a step of `configs/dcgan.py` takes 48 ms, and 234 ms in plain Flax (JAX 0.10.2, 2026-11).
Shapes: as in `genjax.ops.conv_maps`. Plain twins: the maps of the same names there.
"""

from genjax.ops import conv_maps
from genjax.ops.cpu import columns, onednn, phases, taps
from genjax.ops.cpu.barrier import materialize


def _convolve(g: conv_maps.Geometry, x, w):
    """The convolution."""
    if taps.pays(x, w):
        return taps.convolve(g, x, w)
    if onednn.pays(x):
        return onednn.C(g, x, w)
    if g.stride == g.dilation == (1, 1) and columns.pays(x, w, g.out_size):
        return columns.convolve(x, w, g.pads)
    return conv_maps.C(g, x, w)


def _transpose(g: conv_maps.Geometry, y, w):
    """Its transpose in x."""
    if onednn.pays(y):
        return onednn.T(g, y, w)
    if phases.pays(g, y, w):
        return phases.transpose(g, y, w)
    turned = conv_maps.transposed_kernel(w)
    if g.stride == g.dilation == (1, 1) and columns.pays(y, turned, g.size):
        return columns.convolve(y, materialize(turned), g.transpose_pads)
    return conv_maps.T(g, y, w, materialize)


def _correlate(g: conv_maps.Geometry, x, y):
    """Its transpose in w."""
    return onednn.W(g, x, y) if onednn.pays(x) else conv_maps.W(g, x, y, materialize)


C, T, W = conv_maps.closed(_convolve, _transpose, _correlate)
