"""Functions for XLA's CPU backend: oneDNN's convolutions and a filter; `genjax.ops.cpu` calls them."""

import ctypes
from pathlib import Path

import jax

FUNCTIONS = ("genjax_convolution", "genjax_filter")
"""Their names, those in the library as well: convolutions.cc and filter.cc."""


def register(name: str) -> None:
    """Make one of the functions known to XLA. Raises: OSError if the library cannot be loaded."""
    (path,) = Path(__file__).parent.glob("libgenjax_onednn.*")
    jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(ctypes.CDLL(str(path)), name)), platform="cpu")
