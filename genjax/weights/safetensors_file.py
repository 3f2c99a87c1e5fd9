"""Tensors out of a safetensors file: eight bytes of length, a header in JSON, and the numbers one after another.

Source: the format's description, https://github.com/huggingface/safetensors#format.
"""

import json
import math
import os
from pathlib import Path

import numpy as np

from genjax.errors import InputError

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # the upper half of a float32, which NumPy has no name for
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "<u1",
    "BOOL": "?",
}
LONGEST = 100_000_000
"""Bytes of a header; the format allows no more."""


def recognizes(head: bytes) -> bool:
    """Whether a file whose first nine bytes these are can be meant to be of this format."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= LONGEST


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a file, by name; bfloat16 as float32.

    Raises: InputError if there is no such file, or anything in it is not as the format has it.
    """
    try:
        return _tensors(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, OverflowError, RecursionError) as error:  # JSON's and NumPy's own among them
        raise InputError(
            f"{path} is not a safetensors file, or is cut short: {error}; get it from its source again"
        ) from error


def _tensors(data: bytes) -> dict[str, np.ndarray]:
    start = 8 + int.from_bytes(data[:8], "little")
    if not 8 < start <= min(len(data), 8 + LONGEST):
        raise ValueError(f"its header is to end at byte {start}, and the file has {len(data)}")
    header = json.loads(data[8:start].decode(), object_pairs_hook=_unique)
    if not isinstance(header, dict):
        raise ValueError("its header is not an object of tensors by name")
    header.pop("__metadata__", None)
    entries = {name: _entry(name, entry) for name, entry in header.items()}
    _check_places([(begin, end, name) for name, (_, _, begin, end) in entries.items()], len(data) - start)
    return {name: _array(data, start + begin, *kind) for name, (*kind, begin, _) in entries.items()}


def _unique(pairs):
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("its header has a name twice")
    return found


def _entry(name: str, entry) -> tuple[str, tuple[int, ...], int, int]:
    """Dtype, shape, and the places of its first byte and the one after its last."""
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [begin, end]}:
            numbers = (*shape, begin, end)
        case _:
            raise ValueError(f"{name!r} lacks one of dtype, shape and two data_offsets")
    if not all(type(n) is int and n >= 0 for n in numbers):
        raise ValueError(f"{name!r} has shape {shape} at {[begin, end]}: expected whole numbers from 0")
    if dtype not in DTYPES:
        raise ValueError(f"{name!r} has dtype {dtype!r}: expected one of {', '.join(DTYPES)}")
    if end - begin != (size := math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize):
        raise ValueError(f"{name!r} has {end - begin} bytes: expected {size} for shape {shape} of {dtype}")
    return dtype, tuple(shape), begin, end


def _check_places(places: list[tuple[int, int, str]], size: int) -> None:
    """The tensors lie side by side and fill the file: none reaches into another or beyond the end."""
    reached = 0
    for begin, end, name in sorted(places):
        if begin != reached:
            raise ValueError(f"{name!r} begins at byte {begin}: expected {reached}, where the one before ends")
        reached = end
    if reached != size:
        raise ValueError(f"its tensors have {reached} bytes, and the file {size} for them")


def _array(data: bytes, place: int, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    array = np.frombuffer(data, DTYPES[dtype], math.prod(shape), place).reshape(shape)
    return (array.astype("<u4") << 16).view("<f4") if dtype == "BF16" else array
