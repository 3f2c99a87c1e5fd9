"""Layers models of TensorFlow.js: a model.json, which names its arrays, and files of their bytes beside it."""

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from genjax.errors import InputError

KIND = "a layers model of TensorFlow.js (model.json)"
LARGEST = 2**31
"""Bytes of all arrays together, beyond which a model is refused."""


def recognizes(head: bytes) -> bool:
    """Whether a file that begins with these bytes can be of this kind."""
    return head.lstrip().startswith(b'{"')


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a model by name, float32.

    Raises: InputError for anything but a model with unquantized float32 weights, whose files lie beside it.
    """
    path = Path(path)
    try:
        model = json.loads(path.read_bytes())
        groups = model["weightsManifest"] if model["format"] == "layers-model" else None
        arrays = {}
        for group in groups:
            arrays |= _group(path, group)
    except OSError as error:
        raise InputError(f"{error.filename or path} cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path} is damaged, or not {KIND}: {reason}") from error
    return arrays


def _group(path: Path, group: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of one entry of the manifest. Raises: ValueError, OSError, InputError."""
    shapes = {}
    for weight in group["weights"]:
        name, shape = weight["name"], weight["shape"]
        if weight["dtype"] != "float32" or "quantization" in weight:
            raise InputError(f"{path}: {name!r} is quantized or no float32: take the model with float32 weights")
        if not isinstance(shape, list) or not all(type(n) is int and 0 < n < LARGEST for n in shape):
            raise ValueError(f"{name!r} has shape {shape!r}")
        shapes[name] = shape
    sizes = [math.prod(shape) for shape in shapes.values()]
    if 4 * sum(sizes) > LARGEST or len(shapes) < len(group["weights"]):
        raise ValueError("it names an array twice, or more bytes than can be")
    data = b"".join(_shard(path, name) for name in group["paths"])
    if len(data) != 4 * sum(sizes):
        raise ValueError(f"its files have {len(data):,} bytes, and its arrays {4 * sum(sizes):,}")
    parts = np.split(np.frombuffer(data, "<f4"), np.cumsum(sizes)[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def _shard(path: Path, name: str) -> bytes:
    """A file beside the model. Raises: ValueError for a name that is a path; OSError; InputError if it is too large."""
    if not isinstance(name, str) or not name or Path(name).name != name:
        raise ValueError(f"it names the file {name!r}, which does not lie beside it")
    file = path.with_name(name)
    if file.stat().st_size > LARGEST:
        raise InputError(f"{file} has more than {LARGEST:,} bytes: expected weights of a small net")
    return file.read_bytes()
