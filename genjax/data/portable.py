"""The reader of a source as bytes for another process: what lies in files is named, not copied."""

import io
import mmap
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from genjax.errors import InputError, optional

MAX_BYTES = 2**30
"""Largest size of a reader: each process holds one."""


def dump(read: Callable, name: str) -> bytes:
    """The `read` of a source, or a function of it. `name` is the source's, for messages.

    Raises: InputError if it cannot be sent to another process, or holds more than MAX_BYTES.
    """
    file = _Limited()
    try:
        _pickler()(file).dump(read)
    except _TooLarge as error:
        raise InputError(
            f"{name} is held in memory, and each process would hold more than {MAX_BYTES:,} bytes of it: leave "
            f"data.workers at 0, or read it from a folder of python -m genjax.pack --data={name}"
        ) from error
    except Exception as error:  # of any object that a source may hold
        raise InputError(f"{name} cannot be sent to another process ({error}): leave data.workers at 0") from error
    return file.getvalue()


def load(data: bytes) -> Callable:
    """The function that `dump` made bytes of, in a process that was started by this one."""
    return optional("cloudpickle", "a process that reads data").loads(data)


class _TooLarge(Exception):
    pass


class _Limited(io.BytesIO):
    def write(self, data: Any) -> int:
        if self.tell() + memoryview(data).nbytes > MAX_BYTES:
            raise _TooLarge
        return super().write(data)


@cache
def _pickler() -> type:
    """A pickler of functions, which has files opened again instead of copying what is in them."""
    cloudpickle = optional("cloudpickle", "a process that reads data")

    class Pickler(cloudpickle.Pickler):
        def reducer_override(self, value: Any):
            if isinstance(value, np.memmap) and isinstance(value.base, mmap.mmap):
                order = "F" if value.flags.fnc else "C"
                return np.memmap, (value.filename, value.dtype, "r", value.offset, value.shape, order)
            if isinstance(value, zipfile.ZipFile):
                return zipfile.ZipFile, (value.filename,)
            if type(value).__module__.startswith("h5py") and hasattr(value, "file"):
                return _open_hdf5, (value.file.filename, value.name)
            return super().reducer_override(value)

    return Pickler


def _open_hdf5(file: str, name: str) -> Any:
    return optional("h5py", file).File(file, "r")[name]
