"""The three maps of `genjax.ops.conv_maps` by oneDNN, where the package genjax-onednn of `native/` is installed.

XLA's CPU backend has Eigen's convolutions, which are slower than oneDNN's in float32 and know nothing of a processor's
matrix units (AMX) in bfloat16. Measured with JAX 0.10.2, 2026-11: 32x32 pixels, 64 to 64 channels, 3x3, batch 32 at 255
GFLOP/s for 200, in bfloat16 at 1,500; steps of `configs/wgan_gp.py` in 0.80 of the time, and those in bfloat16 in 0.39
of those in float32. Plain twins: the maps of the same names in `genjax.ops.conv_maps`.

The environment variable GENJAX_ONEDNN=0 leaves them to XLA. They are used on a single device: XLA cannot spread the
call of a foreign function over several.
"""

import os
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import numpy as np

from genjax.errors import InputError
from genjax.ops.conv_maps import Geometry

CONVOLUTION, FILTER = FUNCTIONS = ("genjax_convolution", "genjax_filter")
"""The package's functions, and their names in XLA; `genjax.ops.cpu.filters` calls the second one."""


@cache
def installed() -> bool:
    """Whether the package is there."""
    return find_spec("genjax_onednn") is not None


@cache
def register() -> None:
    """Make the functions known to XLA.

    Raises: OSError if the package's library cannot be loaded; InputError if the package is an older one.
    """
    import genjax_onednn

    missing = sorted(set(FUNCTIONS) - set(getattr(genjax_onednn, "FUNCTIONS", ())))
    if missing:
        raise InputError(
            f"genjax-onednn {version('genjax-onednn')} has no {', '.join(missing)}: expected the version of this"
            " genjax; install it by `pip install ./native`, or leave it out by GENJAX_ONEDNN=0"
        )
    for name in FUNCTIONS:
        genjax_onednn.register(name)


@cache
def used() -> bool:
    """Whether programs of this process call oneDNN."""
    if os.environ.get("GENJAX_ONEDNN") == "0" or not installed() or jax.device_count() > 1:
        return False
    register()
    return True


def pays(x) -> bool:
    """Whether its maps are to be used for arrays of x's type."""
    return x.dtype in (jnp.float32, jnp.bfloat16) and used()


def C(g: Geometry, x, w):
    """The convolution."""
    return _call(0, g, (len(x), *g.out_size, w.shape[3]), x.dtype, x, w)


def T(g: Geometry, y, w):
    """Its transpose in x."""
    return _call(1, g, (len(y), *g.size, w.shape[2]), y.dtype, y, w)


def W(g: Geometry, x, y):
    """Its transpose in w, a sum in float32; in bfloat16 on matrix units not oneDNN's (native/correlation.cc)."""
    return _call(2, g, (*g.kernel, x.shape[3], y.shape[3]), jnp.float32, x, y).astype(x.dtype)


def _call(number, g, shape, dtype, *operands):
    numbers = {"stride": g.stride, "dilation": g.dilation, "pads": np.ravel(g.pads)}
    attributes = {name: np.array(value, np.int64) for name, value in numbers.items()}
    call = jax.ffi.ffi_call(CONVOLUTION, jax.ShapeDtypeStruct(shape, dtype), vmap_method="sequential")
    return call(*operands, map=np.int64(number), **attributes)


def flops(call) -> int:
    """Multiplications and additions of one of the maps, an operation of a jaxpr; 0 of other foreign functions."""
    if call.params["target_name"] != CONVOLUTION:
        return 0
    a, b, result = (v.aval for v in (*call.invars, *call.outvars))
    w, y = ((b, result), (b, a), (result, b))[dict(call.params["attributes"])["map"]]
    return 2 * y.size * w.size // y.shape[-1]
