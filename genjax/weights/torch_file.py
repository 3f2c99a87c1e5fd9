"""Tensors of a file that `torch.save` wrote, without torch, and without running any code that the file names.

Such a file is read as data (`genjax.weights.pickled`). It may name what rebuilds a tensor or a parameter, the storage
types, the ordered dictionary, and the record of a command's options. Both layouts are read: the zip archive of
PyTorch 1.6 and later, and the older stream of pickles.
"""

import io
import math
import mmap
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.weights import pickled

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
    with refusing(path, "a state dict that torch.save wrote"):
        return {name: tensor.array() for name, tensor in _values(path).items()}


def values(path: str | os.PathLike) -> Any:
    """All that a file holds: nested dictionaries and lists with a `Tensor` for each tensor, which is read on demand.

    Raises: InputError if the file is absent, or names any other function.
    """
    with refusing(path, "a file that torch.save wrote"):
        return _values(path)


@contextmanager
def refusing(path: str | os.PathLike, expected: str) -> Iterator[None]:
    """Turn whatever reading a file raises into an InputError of one line, which says what the file is not."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # garbage can raise anything, with messages of several lines
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{path} is not {expected}, or is cut short: {reason}; get it from its source again"
        ) from error


class Storage(NamedTuple):
    """Numbers of a file, which are read on demand."""

    dtype: np.dtype
    size: int  # as declared
    load: Callable[[], bytes]

    def numbers(self) -> np.ndarray:
        """Shapes: -> [size]. Raises: ValueError if the file has another number of bytes."""
        data = self.load()
        if len(data) != self.size * self.dtype.itemsize:
            raise ValueError(f"a storage declares {self.size} numbers, and has {len(data)} bytes")
        return np.frombuffer(data, self.dtype)


class Tensor(NamedTuple):
    """A tensor whose numbers are in a storage."""

    storage: Storage
    offset: int  # in numbers, like the strides
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """The numbers. Raises: ValueError for positions outside the storage, which NumPy does not always refuse."""
        numbers = self.storage.numbers()
        if 0 in self.shape:
            return np.zeros(self.shape, numbers.dtype)
        last = self.offset + sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        if min((self.offset, *self.shape, *self.strides)) < 0 or last >= len(numbers):
            raise ValueError(f"a tensor reaches beyond its {len(numbers)} numbers")
        if math.prod(self.shape) > len(numbers):
            raise ValueError(f"a tensor of {math.prod(self.shape)} numbers has {len(numbers)}")
        bytes_apart = tuple(stride * numbers.itemsize for stride in self.strides)
        return np.ndarray(self.shape, numbers.dtype, numbers, self.offset * numbers.itemsize, bytes_apart)


class Options(dict):
    """The options of a command, by name."""

    def __init__(self):
        """No options: a pickle gives them as the state."""


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    """A tensor from the arguments of PyTorch's functions that rebuild one. Raises: Refused for other arguments."""
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or not all(type(n) is int for n in numbers) or len(shape) != len(strides):
        raise pickled.Refused("a tensor has no storage, or no shape")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_: Any) -> Any:
    """A trained tensor; files from before PyTorch 0.4 also state its gradient, which is ignored."""
    return tensor


NAMES: Mapping[str, Any] = {
    "argparse.Namespace": Options,
    "collections.OrderedDict": pickled.dictionary,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor": _tensor,  # before PyTorch 0.4
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.nn.parameter.Parameter": _parameter,
} | {f"torch.{name}": np.dtype(code) for name, code in DTYPES.items()}
"""What a file may name, and what it is read as."""


def set_state(result: Any, state: Any) -> None:
    """Keep the state of options; leave out that of tensors and dictionaries. Raises: Refused for any other."""
    if isinstance(result, Options) and isinstance(state, dict):
        result.update(state)
    elif not isinstance(result, Tensor):
        pickled.no_state(result, state)


def _storage(pid: Any, load: Callable[[str, np.dtype], Callable[[], bytes]]) -> Storage:
    """The storage of a persistent id. Raises: Refused for other ids."""
    word, kind, key, _location, size, *view = pid
    if any(view):  # a view of another storage, only in the older layout; no published file is known to have one
        raise pickled.Refused("a tensor's storage is a view of another storage")
    known = isinstance(kind, pickled.Known) and isinstance(kind.value, np.dtype)
    if word != "storage" or not known or not isinstance(key, str) or type(size) is not int or size < 0:
        raise pickled.Refused("it refers to something that is no storage")
    return Storage(kind.value, size, load(key, kind.value))


def _values(path: str | os.PathLike) -> Any:
    with open(path, "rb") as file:
        zipped = file.read(4) == ZIP
    if zipped:
        return _archive(zipfile.ZipFile(path))
    with pickled.mapped(path) as stream:
        return _stream(stream)


def _archive(archive: zipfile.ZipFile) -> Any:
    index = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
    if index is None:
        raise ValueError(f"it is an archive of {', '.join(archive.namelist()[:3]) or 'nothing'}, without a data.pkl")
    folder = index.removesuffix("data.pkl") + "data/"
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise ValueError("its archive is compressed, which PyTorch's are not")

    def persistent(pid):
        return _storage(pid, lambda key, dtype: lambda: archive.read(folder + key))

    return pickled.load(archive.read(index), NAMES, persistent, set_state)


def _stream(stream: BinaryIO | mmap.mmap) -> Any:
    def load(persistent=pickled.no_persistent_id):
        return pickled.load(stream, NAMES, persistent, set_state)

    if load() != MAGIC:
        raise pickled.Refused("its first number is not that of a torch file")
    _version, machine = load(), load()
    if machine.get("little_endian") is False:
        raise pickled.Refused("its numbers are of a big-endian machine")
    dtypes = {}
    data = {}

    def bytes_of(key, dtype):
        dtypes[key] = dtype
        return lambda: data[key]

    contents = load(lambda pid: _storage(pid, bytes_of))
    for key in load():
        data[key] = _numbers(stream, dtypes[key])
    return contents


def _numbers(stream: BinaryIO | mmap.mmap, dtype: np.dtype) -> bytes:
    """The bytes of a storage in the older layout, after their count. Raises: Refused if some are absent."""
    size = int.from_bytes(stream.read(8), "little") * dtype.itemsize
    data = stream.read(size)
    if len(data) != size:
        raise pickled.Refused(f"a storage of {size} bytes has {len(data)}")
    return data


def single_storage(data: Any) -> Storage:
    """The one storage that `torch.save` wrote to these bytes, as pickles of modules hold them. Raises: ValueError."""
    if not isinstance(data, bytes):
        raise pickled.Refused("a storage has no bytes")
    storage = _stream(io.BytesIO(data))
    if not isinstance(storage, Storage):
        raise pickled.Refused("its bytes are no storage")
    return storage
