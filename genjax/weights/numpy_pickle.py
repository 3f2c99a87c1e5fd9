"""Lists of NumPy arrays in a pickle, without running any code of the file."""

import os
from typing import Any

import numpy as np

from genjax.weights import pickled

TYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1")

MAX_ARRAYS = 10_000


class _DType:
    """A type of NumPy's numbers, with the byte order that the pickle says of it."""

    def __init__(self, code: Any, *_: Any):
        if not isinstance(code, str) or code.lstrip("<|=") not in TYPES:
            raise pickled.Refused("it has a NumPy type that is no real number")
        self.code = code.lstrip("<|=")


class _Array:
    """An array, empty until the pickle says what it holds."""

    def __init__(self, *_: Any):
        self.value = None


def read(path: str | os.PathLike) -> list[np.ndarray]:
    """The arrays of a pickled list, in their order.

    Raises: OSError; ValueError and others for anything but a list of arrays of real numbers, and for damaged files.
    """
    with pickled.mapped(path) as stream:
        contents = pickled.load(stream, NAMES, set_state=_set_state)
    if not isinstance(contents, list) or not contents or len(contents) > MAX_ARRAYS:
        raise pickled.Refused("it is no list of arrays")
    arrays = [item.value if isinstance(item, _Array) else None for item in contents]
    if any(array is None for array in arrays):
        raise pickled.Refused("it is no list of arrays")
    return arrays


def _set_state(result: Any, state: Any) -> None:
    """Fill an array, or check the byte order of a type. Raises: Refused for anything else."""
    if isinstance(result, _DType):
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", "|", "="):
            raise pickled.Refused("its numbers are of a big-endian machine")
    elif isinstance(result, _Array):
        result.value = _array(state)
    else:
        pickled.no_state(result, state)


def _array(state: Any) -> np.ndarray:
    """The array of NumPy's state (version, shape, type, by columns, bytes). Raises: Refused."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise pickled.Refused("it has an array that is not as NumPy pickles them")
    _, shape, dtype, by_columns, data = state
    sizes = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    if not sizes or not isinstance(dtype, _DType) or not isinstance(data, bytes):
        raise pickled.Refused("it has an array that is not as NumPy pickles them; Python 2 pickled them otherwise")
    flat = np.frombuffer(data, f"<{dtype.code}") if len(data) % np.dtype(dtype.code).itemsize == 0 else np.zeros(0)
    if len(shape) > 32 or float(np.prod(shape, dtype=float)) != len(flat):
        raise pickled.Refused("it has an array whose shape does not fit its bytes")
    return flat.reshape(shape, order="F" if by_columns else "C")


NAMES = {
    **{f"numpy.{core}.multiarray._reconstruct": _Array for core in ("_core", "core")},
    "numpy.ndarray": "ndarray",
    "numpy.dtype": _DType,
}
"""What a pickle may name, and what it is read as."""
