"""Images in Parquet files as the Hugging Face Hub has them: a column of encoded images, perhaps one of labels."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from genjax.data.checked import ImageFiles, open_checked
from genjax.data.encoded import EncodedImages
from genjax.data.labels import Labels, of_words
from genjax.data.listing import Listing, walk
from genjax.data.request import Request
from genjax.data.source import Source
from genjax.errors import InputError, optional
from genjax.text import listed

LABELS = ("label", "labels", "fine_label")
"""Names of a column of classes."""
IMAGES = ("image", "img", "images")
"""Names of a column of images that comes before others."""
SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}
"""Words in a file's path -> the split that it is of, as the Hugging Face Hub has them."""
_PART = re.compile(r"(\w+?)-\d+-of-(\d+)")


def load_parquet(request: Request) -> Source:
    """The images of a .parquet, or of all in a folder; "train-00000-of-00002.parquet" is a part of the split "train".

    Raises: InputError, as `find_parquet`, and if images are broken, or sizes differ without data.size.
    """
    return open_checked(request, find_parquet(request))


def find_parquet(request: Request) -> ImageFiles:
    """The images of Parquet files.

    The column of images is the first that holds bytes, or a pair of bytes and path. The split of a file is in its name,
    or is a word of it or of its folders, as in "test/0000.parquet"; files without one are of "train". Encoded images
    are held in memory.
    Raises: InputError if a file is missing or broken, or has no such column or no rows, or the package pyarrow is
    missing.
    """
    path = Path(request.argument)
    files, others = _files(request, path)
    data, paths, labels, label_names, splits = [], [], [], (), {}
    notes = dict.fromkeys(_missing_parts(files))
    for name in files:
        file = path / name if path.is_dir() else path
        part = _read(request.name, file)
        splits.setdefault(split_of(name), []).append(np.arange(len(data), len(data) + len(part.images)))
        data += part.images
        paths += part.names
        labels += part.labels
        label_names = part.label_names
        notes[part.note] = None
    if not data:
        raise InputError(f"{request.name} has no rows: expected images")
    images = EncodedImages(
        count=len(data),
        files=lambda indices: [data[index] or b"" for index in indices],
        name=lambda index: f"{request.name} {paths[index]}",
        names=paths,
    )
    indices = {split: np.concatenate(ranges) for split, ranges in splits.items()}
    classes = _labels(labels, label_names)
    notes[classes.note or (f"labels are from the column {part.label}" if classes.names else "")] = None
    classes = classes._replace(note="; ".join(filter(None, notes)))
    return ImageFiles(images, indices, classes, Listing(request.name, paths, others, path.joinpath))


def _labels(labels: list, names: tuple[str, ...]) -> Labels:
    """The column of labels as classes, or why it has none."""
    if all(isinstance(label, str) and label for label in labels):
        return of_words(labels)
    missing = sum(not _is_class(label) for label in labels)
    if missing:
        has_any = any(label is not None for label in labels)
        note = (
            f"no labels: {missing:,} of {len(labels):,} rows have no whole number from 0 on in the column of labels, "
            "and not all have words"
        )
        return Labels(note=note if has_any else "")
    classes = np.array(labels, np.int32)
    if names and classes.max() >= len(names):
        return Labels(note=f"no labels: the largest is {classes.max()}, and the file names {len(names)} classes")
    return Labels(classes, names or tuple(map(str, range(classes.max() + 1))))


def _is_class(label: Any) -> bool:
    return isinstance(label, int | float) and label % 1 == 0 and 0 <= label < 2**31


def _files(request: Request, path: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The names of Parquet files, and those of all others with their kinds. Raises: InputError if there is none."""
    entries = walk(path) if path.is_dir() else [(path.name, ".parquet")] if path.is_file() else []
    files = [name for name, kind in entries if kind == ".parquet"]
    if not files:
        raise InputError(f"{request.name}: no such file; expected a .parquet, or a folder with such files")
    others = [(name, PurePosixPath(name).suffix if kind == "image" else kind) for name, kind in entries]
    return files, [(name, kind) for name, kind in others if kind != ".parquet"]


def split_of(name: str) -> str:
    """The split of a file: "x" of "x-00000-of-00002.parquet", or that of the last of SPLITS in its path, else "train".

    >>> [split_of(x) for x in ("dev-0-of-1.parquet", "default/test/0000.parquet", "a_val.parquet", "x.parquet")]
    ['dev', 'test', 'validation', 'train']
    """
    path = PurePosixPath(name)
    if match := _PART.match(path.stem):
        return match[1]
    words = re.split(r"[^a-z]+", str(path.with_suffix("")).lower())
    return next((SPLITS[word] for word in reversed(words) if word in SPLITS), "train")


def _missing_parts(files: Sequence[str]) -> list[str]:
    """A line for each split of which not all parts are there."""
    parts = Counter((match[1], int(match[2])) for name in files if (match := _PART.match(PurePosixPath(name).stem)))
    return [
        f"{there} of {count} files of {split} are there" for (split, count), there in parts.items() if there < count
    ]


class Part(NamedTuple):
    """The rows of a file."""

    images: list[bytes | None]  # encoded
    names: list[str]
    labels: list  # None without
    label: str | None  # their column
    label_names: tuple[str, ...]
    note: str  # on columns that are not used


def _read(name: str, file: Path) -> Part:
    pyarrow = optional("pyarrow", name)
    parquet = optional("pyarrow.parquet", name)
    try:
        table = parquet.read_table(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{file} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    column, note = _image_column(file, table.schema)
    rows = table.column(column).to_pylist()
    rows = [row if isinstance(row, dict) else {"bytes": row} for row in rows]
    paths = [row.get("path") or f"{file.stem}:{index}" for index, row in enumerate(rows)]
    label = next((key for key in LABELS if key in table.column_names), None)
    labels = table.column(label).to_pylist() if label else [None] * len(rows)
    label_names = _label_names(table.schema.metadata or {}, label)
    return Part([row["bytes"] for row in rows], paths, labels, label, label_names, note)


def _image_column(file: Path, schema: Any) -> tuple[str, str]:
    """The column of images, and a note if others might be it. A column that holds paths as well comes first."""
    import pyarrow.types

    def holds_bytes(kind) -> bool:
        return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)

    def holds_files(kind) -> bool:
        return pyarrow.types.is_struct(kind) and any(f.name == "bytes" and holds_bytes(f.type) for f in kind)

    columns = [field.name for field in schema if holds_files(field.type)]
    columns += [field.name for field in schema if holds_bytes(field.type)]
    columns.sort(key=lambda column: column not in IMAGES)
    if not columns:
        others = listed([f"{field.name} {field.type}" for field in schema], 9)
        raise InputError(f"{file} has no column of images (bytes, or a struct of bytes and path); it has {others}")
    others = listed(columns[1:])
    return columns[0], f"images are of the column {columns[0]}, not of {others}" if others else ""


def _label_names(metadata: dict[bytes, bytes], label: str | None) -> tuple[str, ...]:
    """The classes' names, as the Hub's metadata have them."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return tuple(map(str, features[label]["names"]))
    except (KeyError, ValueError, TypeError):
        return ()
