"""Write the images of a source as a packed folder; `genjax.data.packed` reads it."""

import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np

from genjax import __version__
from genjax.data import workers
from genjax.data.packed import DESCRIPTION, Packed, Shard, Split, array_record
from genjax.data.source import Source
from genjax.data.translation import DERIVATIONS
from genjax.errors import InputError
from genjax.files import new_folder, write_bytes
from genjax.text import bytes_text

SHARD_BYTES = 2**28
"""Approximate size of a file, but there are at most MAX_SHARDS."""
MAX_SHARDS = 128
CHUNK_BYTES = 2**26
"""Approximate size of the images that the threads of one process decode at a time."""
OPTIONS = "group_size:1,uncompressed"
"""Of ArrayRecord's writer: each record can be read alone, and is not compressed: pixels hardly shrink by Zstandard."""


def check(sources: Mapping[str, Source], out: Path) -> None:
    """Check that the splits of a source can be packed together, in a new folder. Raises: InputError."""
    array_record("genjax.pack")
    first = next(iter(sources.values()))
    for split, source in sources.items():
        if len(source.shape) != 3:
            raise InputError(f"{source.name} has no images, and what it has needs no packing: it is fast to read as is")
        kind = "stacked" if source.stacked else source.name.partition(":")[0]
        if source.stacked or kind in DERIVATIONS:
            raise InputError(f"{source.name} is made of other images: pack those, and name {kind}:packed:PATH")
        for key in ("shape", "dtype", "label_names", "attribute_names"):
            if getattr(source, key) != getattr(first, key):
                raise InputError(
                    f"{source.name}: {split} has {key} {getattr(source, key)}, and {first.split} "
                    f"{getattr(first, key)}: pack one split alone, with --splits"
                )
        if (source.labels is None) != (first.labels is None):
            raise InputError(
                f"{source.name}: only one of {split} and {first.split} has labels: pack one, with --splits"
            )
    place = next(parent for parent in out.resolve().parents if parent.exists())
    needed, free = sum(source.nbytes for source in sources.values()), shutil.disk_usage(place).free
    if needed > free:
        raise InputError(f"--out={out}: {bytes_text(needed)} are needed, and {bytes_text(free)} are free")


def write(
    out: Path,
    sources: Mapping[str, Source],
    name: str,
    license: str,
    processes: int,
    on_progress: Callable[[int], None],
) -> Packed:
    """Write the examples of each split into a new folder, which is there at the end or not at all.

    `name` and `license` are recorded; `processes` decode images (0: the threads of this one); `on_progress` is called
    with the number that are written.
    Raises: InputError if images are broken; OSError.
    """
    source = next(iter(sources.values()))
    labeled = source.labels is not None
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        on_progress(done)

    with new_folder(out) as folder:
        splits = {}
        for split, part in sources.items():
            splits[split] = Split(tuple(_write_split(folder, split, part, processes, count)), part.fingerprint)
            write_bytes(folder / f"{split}.npz", _beside(part))
        form, dtype = source.form, np.dtype(source.dtype).name
        names = source.label_names, source.attribute_names
        packed = Packed(name, license, source.shape, dtype, form, *names, labeled, splits, __version__)
        write_bytes(folder / DESCRIPTION, packed.as_json())
    return packed


def bounds_of(source: Source) -> list[int]:
    """The first example of each shard, and the number of all."""
    bytes_each = prod(source.shape) * np.dtype(source.dtype).itemsize
    count = max(1, min(MAX_SHARDS, source.size, source.size * bytes_each // SHARD_BYTES))
    return [source.size * i // count for i in range(count + 1)]


def _write_split(
    folder: Path, name: str, source: Source, processes: int, count: Callable[[int], None]
) -> Iterator[Shard]:
    writer = array_record("genjax.pack").ArrayRecordWriter
    bounds = bounds_of(source)
    with closing(_records(source, processes)) as records:
        for number, (start, stop) in enumerate(pairwise(bounds)):
            path = folder / f"{name}-{number:05d}-of-{len(bounds) - 1:05d}.array_record"
            file = writer(str(path), OPTIONS)
            try:
                for _ in range(start, stop):
                    file.write(next(records))
                    count(1)
            finally:
                file.close()
            yield Shard(path.name, stop - start, path.stat().st_size)


def _records(source: Source, processes: int) -> Iterator[bytes]:
    if processes:
        size = workers.piece_size(source.nbytes // source.size)
        pieces = workers.read_rows(source.read, source.name, np.arange, source.size, size, processes)
    else:
        size = max(1, CHUNK_BYTES * source.size // source.nbytes)
        starts = range(0, source.size, size)
        pieces = (source.read(np.arange(start, min(start + size, source.size))) for start in starts)
    labels = None if source.labels is None else source.labels.astype("<i4")
    index = 0
    with closing(pieces):
        for piece in pieces:
            for x in piece.astype(np.dtype(source.dtype).newbyteorder("<"), copy=False):
                yield x.tobytes() + (b"" if labels is None else labels[index].tobytes())
                index += 1


def _beside(source: Source) -> bytes:
    """The arrays beside the images of a split, as a .npz."""
    names = None if source.names is None else np.array(source.names, np.str_)
    arrays = {"labels": source.labels, "names": names, "attributes": source.attributes}
    file = io.BytesIO()
    np.savez(file, **{key: array for key, array in arrays.items() if array is not None})
    return file.getvalue()
