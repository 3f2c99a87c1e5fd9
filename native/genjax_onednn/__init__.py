"""oneDNN's convolutions for XLA's CPU backend; `genjax.ops.cpu.onednn` calls them."""

import ctypes
from pathlib import Path

import jax


def register(name: str) -> None:
    """Make the function of convolutions.cc known to XLA by a name. Raises: OSError if it cannot be loaded."""
    (path,) = Path(__file__).parent.glob("libgenjax_onednn.*")
    function = ctypes.CDLL(str(path)).genjax_convolution
    jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(function), platform="cpu")
