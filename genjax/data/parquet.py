"""Images in Parquet files as the Hugging Face Hub has them: a column of encoded images, perhaps one of labels."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from genjax.data.checked import ImageFiles, open_checked
from genjax.data.encoded import EncodedImages
from genjax.data.labels import Labels
from genjax.data.request import Request
from genjax.data.source import Source
from genjax.errors import InputError, optional
from genjax.text import listed

LABELS = ("label", "labels", "fine_label")
"""Names of a column of classes."""


def load_parquet(request: Request) -> Source:
    """The images of a .parquet, or of all in a folder; "train-00000-of-00002.parquet" is a part of the split "train".

    Raises: InputError, as `find_parquet`, and if images are broken, or sizes differ without data.size.
    """
    return open_checked(request, find_parquet(request))


def find_parquet(request: Request) -> ImageFiles:
    """The images of Parquet files.

    The column of images is the one that holds bytes, or a pair of bytes and path; files without a split in their names
    are of "train". Encoded images are held in memory.
    Raises: InputError if a file is missing or broken, or has no such column, or the package pyarrow is missing.
    """
    data, paths, labels, label_names, splits = [], [], [], (), {}
    for split, files in _files(request).items():
        for file in files:
            more, names, classes, label_names = _read(request.name, file)
            splits.setdefault(split, []).append(np.arange(len(data), len(data) + len(more)))
            data += more
            paths += names
            labels += classes
    images = EncodedImages(
        count=len(data),
        files=lambda indices: [data[index] or b"" for index in indices],
        name=lambda index: f"{request.name} {paths[index]}",
        names=paths,
    )
    indices = {split: np.concatenate(ranges) for split, ranges in splits.items()}
    return ImageFiles(images, indices, _labels(labels, label_names))


def _labels(labels: list, names: tuple[str, ...]) -> Labels:
    """The column of labels as classes, or why it has none."""
    missing = sum(not isinstance(label, int) or label < 0 for label in labels)
    if missing:
        has_any = any(label is not None for label in labels)
        note = f"no labels: {missing:,} of {len(labels):,} rows have none from 0 on in the column of labels"
        return Labels(note=note if has_any else "")
    classes = np.array(labels, np.int32)
    return Labels(classes, names or tuple(map(str, range(classes.max() + 1))))


def _files(request: Request) -> dict[str, list[Path]]:
    """The files of each split. Raises: InputError if there is none."""
    path = Path(request.argument)
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise InputError(f"{request.name}: no such file; expected a .parquet, or a folder with such files")
    splits: dict[str, list[Path]] = {}
    for file in files:
        match = re.match(r"(\w+?)-\d+-of-\d+", file.stem)
        splits.setdefault(match[1] if match else "train", []).append(file)
    return splits


def _read(name: str, file: Path) -> tuple[list[bytes], list[str], list[int | None], tuple[str, ...]]:
    """Encoded images, their names, their labels (None without), and the names of labels."""
    pyarrow = optional("pyarrow", name)
    parquet = optional("pyarrow.parquet", name)
    try:
        table = parquet.read_table(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{file} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    rows = table.column(_image_column(file, table.schema)).to_pylist()
    rows = [row if isinstance(row, dict) else {"bytes": row} for row in rows]
    paths = [row.get("path") or f"{file.stem}:{index}" for index, row in enumerate(rows)]
    label = next((key for key in LABELS if key in table.column_names), None)
    labels = table.column(label).to_pylist() if label else [None] * len(rows)
    return [row["bytes"] for row in rows], paths, labels, _label_names(table.schema.metadata or {}, label)


def _image_column(file: Path, schema: Any) -> str:
    import pyarrow.types

    def holds_bytes(kind) -> bool:
        return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)

    columns = [
        field.name
        for field in schema
        if holds_bytes(field.type)
        or (pyarrow.types.is_struct(field.type) and any(f.name == "bytes" and holds_bytes(f.type) for f in field.type))
    ]
    if not columns:
        others = listed([f"{field.name} {field.type}" for field in schema], 9)
        raise InputError(f"{file} has no column of images (bytes, or a struct of bytes and path); it has {others}")
    return columns[0]


def _label_names(metadata: dict[bytes, bytes], label: str | None) -> tuple[str, ...]:
    """The classes' names, as the Hub's metadata have them."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return tuple(map(str, features[label]["names"]))
    except (KeyError, ValueError, TypeError):
        return ()
