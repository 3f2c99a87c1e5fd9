"""Tensors of a file that `torch.save` wrote, without torch, and without running any code that the file names.

A pickle can name any function of any module. This reader allows four: those that rebuild a tensor or a parameter, the
storage types, and the ordered dictionary. It reads both layouts: the zip archive of PyTorch 1.6 and later, and the
older stream of pickles.
"""

import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from genjax.errors import InputError

DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}
MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older layout
ZIP, PICKLE = b"PK\3\4", b"\x80"  # first bytes of the newer and of the older layout


def recognizes(head: bytes) -> bool:
    """Whether a file that begins with these bytes can be of one of the two layouts."""
    return head.startswith((ZIP, PICKLE))


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a state dict, by name.

    Raises: InputError if the file is absent, is no state dict, or names any other function.
    """
    try:
        with open(path, "rb") as file:
            zipped = file.read(4) == ZIP
            file.seek(0)
            tensors, storage = (_archive if zipped else _stream)(file)
            return {name: tensor.array(storage) for name, tensor in tensors.items()}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # unpickling garbage can raise anything, with messages of several lines
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{path} is not a state dict that torch.save wrote, or is cut short: {reason}; get it from its source again"
        ) from error


class _Tensor(NamedTuple):
    """A tensor whose numbers are in a storage."""

    dtype: str
    key: str
    offset: int  # in numbers, like the strides
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, storage: Callable[[str], bytes]) -> np.ndarray:
        """The numbers. Raises: ValueError for positions outside the storage, which NumPy does not always refuse."""
        numbers = np.frombuffer(storage(self.key), self.dtype)
        if 0 in self.shape:
            return np.zeros(self.shape, self.dtype)
        last = self.offset + sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        if min((self.offset, *self.shape, *self.strides)) < 0 or last >= len(numbers):
            raise ValueError(f"a tensor reaches beyond its {len(numbers)} numbers")
        bytes_apart = tuple(stride * numbers.itemsize for stride in self.strides)
        return np.ndarray(self.shape, self.dtype, numbers, self.offset * numbers.itemsize, bytes_apart)


class _Parameter(_Tensor):
    """A trained tensor; files from before PyTorch 0.4 also state its gradient, which is ignored."""

    def __setstate__(self, state):
        pass


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2":  # before PyTorch 0.4, and since
                return lambda storage, offset, shape, strides, *_: _Tensor(*storage, offset, shape, strides)
            case ("torch.nn.parameter", "Parameter") | ("torch._utils", "_rebuild_parameter"):
                return lambda tensor, *_: _Parameter(*tensor)
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid):
        _, dtype, key, _location, _size, *view = pid
        if any(view):  # a view of another storage, only in the older layout; no published file is known to have one
            raise pickle.UnpicklingError("a tensor's storage is a view of another storage")
        return dtype, key


def _archive(file: BinaryIO) -> tuple[dict[str, Any], Callable[[str], bytes]]:
    archive = zipfile.ZipFile(file)
    index = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
    if index is None:
        raise ValueError(f"it is an archive of {', '.join(archive.namelist()[:3]) or 'nothing'}, without a data.pkl")
    folder = index.removesuffix("data.pkl") + "data/"
    return _Unpickler(archive.open(index)).load(), lambda key: archive.read(folder + key)


def _stream(file: BinaryIO) -> tuple[dict[str, Any], Callable[[str], bytes]]:
    if _Unpickler(file).load() != MAGIC:
        raise pickle.UnpicklingError("its first number is not that of a torch file")
    _version, _machine, tensors, keys = (_Unpickler(file).load() for _ in range(4))
    items = {tensor.key: np.dtype(tensor.dtype).itemsize for tensor in tensors.values()}
    data = {key: file.read(items[key] * int.from_bytes(file.read(8), "little")) for key in keys}
    return tensors, data.__getitem__
