"""A folder that `genjax.pack` wrote: decoded images in ArrayRecord files, read by index.

    packed.json                        the description, see `Packed`
    train.npz                          of each split: labels int32 [N], names [N] and attributes float32 [N, K], if any
    train-00000-of-00004.array_record  a record per image: its pixels, [H, W, C] in uint8 or little-endian uint16,
                                       then its label in little-endian int32, if there are labels

Pixels are stored as they are, which costs twice the disk of PNG and takes a sixteenth of its time to read: docs/data.md
has the measurement.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from genjax.data import encoded
from genjax.data.deep import conform_deep
from genjax.data.encoded import EncodedImages, concatenate_ranges, digests
from genjax.data.images import Form, conform, form_text
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text, in_memory
from genjax.data.splits import parse
from genjax.errors import InputError
from genjax.files import encode

FORMAT = "genjax packed images"
VERSION = 1
DESCRIPTION = "packed.json"


@dataclass(frozen=True)
class Shard:
    """A file of records."""

    file: str
    count: int
    bytes: int


@dataclass(frozen=True)
class Split:
    """The examples of a split."""

    shards: tuple[Shard, ...]
    fingerprint: str  # of the source that was packed

    @property
    def count(self) -> int:
        """The number of examples."""
        return sum(shard.count for shard in self.shards)


@dataclass(frozen=True)
class Packed:
    """The description of a packed folder."""

    source: str  # the name of the source that was packed
    license: str  # of the images; "" if it is not known
    shape: tuple[int, int, int]
    dtype: str  # "uint8" or "uint16"
    form: str  # how images were brought to their shape, as `Source.form`
    label_names: tuple[str, ...]
    attribute_names: tuple[str, ...]
    labeled: bool
    splits: Mapping[str, Split]
    genjax: str  # the version that wrote it

    def as_json(self) -> bytes:
        """The content of the file DESCRIPTION."""
        content = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return encode(json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    @property
    def record_bytes(self) -> int:
        """Bytes of a record."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize + 4 * self.labeled


def described(folder: Path) -> Packed:
    """The description of a packed folder. Raises: InputError if it is none, of another version, or lacks a file."""
    path = folder / DESCRIPTION
    if not path.is_file():
        reason = "has no" if folder.is_dir() else "is no folder with a"
        raise InputError(f"packed:{folder} {reason} {DESCRIPTION}: expected a folder that python -m genjax.pack wrote")
    try:
        packed = _parsed(json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is not as python -m genjax.pack writes it ({error}): pack the data again") from error
    for split, contents in packed.splits.items():
        for shard in contents.shards:
            there = (folder / shard.file).stat().st_size if (folder / shard.file).is_file() else None
            if there != shard.bytes:
                state = "is missing" if there is None else f"has {there:,} bytes, not {shard.bytes:,}"
                raise InputError(f"{folder / shard.file}, of {split}, {state}: copy it, or pack the data, again")
    return packed


def _parsed(content: dict[str, Any]) -> Packed:
    if content.pop("format") != FORMAT or content["version"] != VERSION:
        raise ValueError(f"expected {FORMAT!r}, version {VERSION}")
    content.pop("version")
    splits = content.pop("splits")
    for key in ("shape", "label_names", "attribute_names"):
        content[key] = tuple(content[key])
    if len(content["shape"]) != 3 or not all(isinstance(n, int) and n > 0 for n in content["shape"]):
        raise ValueError(f"shape {content['shape']}")
    if content["dtype"] not in ("uint8", "uint16"):
        raise ValueError(f"dtype {content['dtype']}")
    read = {
        name: Split(tuple(Shard(**shard) for shard in split["shards"]), split["fingerprint"])
        for name, split in splits.items()
    }
    outside = [s.file for split in read.values() for s in split.shards if Path(s.file).name != s.file]
    if outside:
        raise ValueError(f"file {outside[0]!r}, not in this folder")
    return Packed(splits=read, **content)


def license_of(path: str) -> str:
    """The license of packed images; "" if it is not known, or there are none."""
    try:
        return described(Path(path)).license
    except InputError:
        return ""


def load_packed(request: Request) -> Source:
    """The images of a packed folder, of the splits that were packed, at the size that they were packed at or another.

    Raises: InputError if the folder is not complete, or has no such split, and for 16 bits that are asked for as 8.
    """
    folder = Path(request.argument)
    packed = described(folder)
    if packed.dtype == "uint16" and request.form.bits == 8:
        raise InputError(f"{request.name} has 16 bits per channel: set data.bits=16, or pack it again with --bits=8")
    sizes = {name: split.count for name, split in packed.splits.items()}
    bounds = [(part.name, *part.bounds(sizes[part.name])) for part in parse(request.split, sizes)]
    names = list(dict.fromkeys(name for name, *_ in bounds))
    first = dict(zip(names, np.cumsum([0, *(sizes[name] for name in names)]).tolist(), strict=False))
    indices = concatenate_ranges((first[name] + start, first[name] + stop) for name, start, stop in bounds)
    records = Records(folder, packed, tuple(shard for name in names for shard in packed.splits[name].shards))
    beside = _beside(folder, packed, names, indices)
    read = _reader(records, indices, replace(request.form, bits=8 if packed.dtype == "uint8" else 16))
    shape = read(np.array([0])).shape[1:] if request.form.size or request.form.channels else packed.shape
    form = "; ".join(filter(None, [packed.form, form_text(packed.shape, shape, request.form)]))
    if len(indices) * prod(shape) * np.dtype(packed.dtype).itemsize <= encoded.MAX_IN_MEMORY:
        x = read(np.arange(len(indices)))
        source = in_memory(request.name, request.split, x, beside["labels"], packed.label_names)
    else:
        source = Source(
            name=request.name,
            split=request.split,
            size=len(indices),
            shape=shape,
            dtype=np.dtype(packed.dtype),
            read=read,
            labels=beside["labels"],
            label_names=packed.label_names,
            fingerprint=_fingerprint(folder, request, records.shards, shape, indices),
        )
    return replace(
        source,
        form=form,
        names=beside["names"],
        attributes=beside["attributes"],
        attribute_names=packed.attribute_names,
    )


def _beside(folder: Path, packed: Packed, names: Sequence[str], indices: np.ndarray) -> dict[str, Any]:
    """Labels, names and attributes of the examples of these indices of some splits; None of what there is not."""
    columns = {"labels": [], "names": [], "attributes": []}
    for name in names:
        path = folder / f"{name}.npz"
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
        except Exception as error:  # NumPy and zipfile raise anything for damaged files
            raise InputError(f"{path} cannot be read ({error}): copy it, or pack the data, again") from error
        if any(len(array) != packed.splits[name].count for array in arrays.values()) or (
            packed.labeled != ("labels" in arrays)
        ):
            raise InputError(f"{path} is of other data than {folder / DESCRIPTION}: pack the data again")
        for key, column in columns.items():
            column.append(arrays.get(key))
    out = {
        key: None if any(part is None for part in column) else np.concatenate(column)[indices]
        for key, column in columns.items()
    }
    return out | {"names": None if out["names"] is None else out["names"].tolist()}


def _reader(records: "Records", indices: np.ndarray, form: Form):
    bring = conform if form.bits == 8 else conform_deep
    return lambda positions: bring(records.read(indices[np.asarray(positions)]), form)


def _fingerprint(folder: Path, request: Request, shards: Sequence[Shard], shape: tuple, indices: np.ndarray) -> str:
    """The fingerprint of images that are not held in memory: of the files that they are in."""
    paths = [folder / shard.file for shard in shards]
    files = EncodedImages(len(paths), lambda chosen: [paths[i] for i in chosen], lambda index: str(paths[index]))
    contents = digests(files, np.arange(len(paths)))
    lines = (f"{path.name} {digest}" for path, digest in zip(paths, contents, strict=True))
    return fingerprint_of_text([f"packed {request.split} {shape} {request.form.text} {len(indices)}", *lines])


@dataclass
class Records:
    """The images of some shards, one shard after another; files are opened when they are first read."""

    folder: Path
    packed: Packed
    shards: tuple[Shard, ...]
    _files: dict = field(default_factory=dict, init=False, repr=False)
    _lock: Any = field(default_factory=threading.Lock, init=False, repr=False)

    def __getstate__(self) -> tuple:
        return self.folder, self.packed, self.shards

    def __setstate__(self, state: tuple) -> None:
        self.__init__(*state)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """The images of these indices. Shapes: [N] -> [N, H, W, C]. Raises: InputError for a damaged file."""
        out = np.empty((len(indices), *self.packed.shape), np.dtype(self.packed.dtype).newbyteorder("<"))
        stops = np.cumsum([shard.count for shard in self.shards])
        places = np.searchsorted(stops, indices, "right")

        def read_shard(number: int) -> None:
            rows = np.flatnonzero(places == number)
            start = stops[number] - self.shards[number].count
            for row, record in zip(rows, self._records(number, (indices[rows] - start).tolist()), strict=True):
                out[row] = np.frombuffer(record, out.dtype, prod(out.shape[1:])).reshape(out.shape[1:])

        list(encoded.pool().map(read_shard, np.unique(places).tolist()))
        return out.astype(self.packed.dtype, copy=False)

    def _records(self, number: int, indices: list[int]) -> list[bytes]:
        path = self.folder / self.shards[number].file
        try:
            with self._lock:
                if number not in self._files:
                    self._files[number] = array_record(f"packed:{self.folder}").ArrayRecordReader(str(path), OPTIONS)
            records = self._files[number].read(indices)
            if any(len(record) != self.packed.record_bytes for record in records):
                raise ValueError(f"expected records of {self.packed.record_bytes:,} bytes")
            return records
        except InputError:
            raise
        except Exception as error:  # ArrayRecord raises errors of its own
            reason = str(error).partition("\n")[0]
            raise InputError(f"{path} is damaged ({reason}): copy it, or pack the data, again") from error


OPTIONS = "readahead_buffer_size:0"
"""Of ArrayRecord's reader: records are read one by one, in any order."""


def array_record(user: str):
    """The module of ArrayRecord's reader and writer. Raises: InputError if it is not installed; `user` needs it."""
    try:
        from array_record.python import array_record_module
    except ImportError as error:
        raise InputError(
            f"{user} needs the package array_record ({error}): pip install array_record, on Linux or macOS"
        ) from error
    return array_record_module
