"""Low-pass filters in one pass over the map, where the package genjax-onednn of `native/` is installed.

XLA's CPU backend writes a padded map for each axis, and its loops over at most 16 channels are slow. Measured with JAX
0.10.2, 2026-12, on two cores of an Intel Xeon with AMX: 64x64 pixels, 16 channels, batch 16, the taps 1, 3, 3, 1 and
one more pass over the result from 1.05 to 0.5 ms. Plain twins: the forms of `genjax.ops.resample`.
"""

import jax
import numpy as np

from genjax.ops.cpu import onednn

MOST = 16
"""Taps, and zeros along an edge, that the function knows."""


def pays(f, x) -> bool:
    """Whether `filtered` is to be used for a filter (`genjax.ops.resample.Filter`) and images of x's type."""
    return onednn.pays(x) and max(len(f.taps), *np.ravel(f.pads)) <= MOST


def filtered(f, dtype, x):
    """The filter, with sums in float32. Shapes: x [B, H, W, C] -> [B, H', W', C] of this type."""
    (top, _), (left, _) = f.pads
    result = jax.ShapeDtypeStruct((len(x), *f.out_size, x.shape[3]), dtype)
    numbers = {name: np.int64(n) for name, n in {"up": f.up, "down": f.down, "top": top, "left": left}.items()}
    return jax.ffi.ffi_call(onednn.FILTER, result, vmap_method="sequential")(x, taps=np.float32(f.taps), **numbers)
