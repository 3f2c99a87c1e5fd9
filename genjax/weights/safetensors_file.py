"""Tensors of a safetensors file, read and written by the format's own library."""

import os
from collections.abc import Mapping

import ml_dtypes  # noqa: F401, gives NumPy the type "bfloat16"
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from genjax.errors import InputError

MAX_HEADER = 100_000_000
"""Bytes of a header: the format allows no more."""


def recognizes(head: bytes) -> bool:
    """Whether a file that begins with these nine bytes can be of this format: a length, then an object of JSON."""
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= MAX_HEADER


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a file by name; bfloat16 becomes float32.

    Raises: InputError if the file is absent, malformed or cut short, or has numbers of a type that NumPy lacks.
    """
    try:
        with safe_open(path, "numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dictionary
    except FileNotFoundError as error:
        raise InputError(f"{path} cannot be read: no such file") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (SafetensorError, AttributeError, TypeError) as error:  # the last two for types without a name in NumPy
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} is not a safetensors file, or is cut short: {reason}; get it from its source again"
        ) from error
    return {name: a.astype(np.float32) if a.dtype.name == "bfloat16" else a for name, a in tensors.items()}


def encode(tensors: Mapping[str, np.ndarray]) -> bytes:
    """The content of a file of tensors by name."""
    return save({name: np.ascontiguousarray(a).reshape(a.shape) for name, a in tensors.items()}, {"format": "np"})
