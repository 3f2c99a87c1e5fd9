"""Labels of images by file name: sub-folders, a table beside the images, or NVIDIA's dataset.json.

A table is a .json, a .csv or a .npy:

- .json: {"labels": [["a/1.png", 3], ...]} as of StyleGAN2-ADA, the list alone, or {"a/1.png": 3, ...};
- .csv: one line per image, the file's name first; a first line that names no image has the columns' names;
- .npy: rows of [name, label] as text, or one label per image in the order of names.

A label is one class (a number or a word) or a list of numbers. Lists with a single one among zeros are classes;
others are attributes, of which data.labels=FILE:COLUMN makes one column the class.
"""

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from genjax.data.images import SUFFIXES
from genjax.data.listing import Listing
from genjax.data.table import decode_text
from genjax.errors import InputError, did_you_mean
from genjax.files import expand
from genjax.text import listed, natural

TABLES = ("dataset.json", "labels.json", "labels.csv", "labels.npy")
"""Tables that are read where they lie beside the images, the first that is there."""


class Labels(NamedTuple):
    """Labels of all images, or why there are none."""

    classes: np.ndarray | None = None  # int32 [N]
    names: tuple[str, ...] = ()
    attributes: np.ndarray | None = None  # float32 [N, K], where a label is several numbers
    attribute_names: tuple[str, ...] = ()
    note: str = ""  # where they are from, or why there are none although there might be
    table: str = ""  # the name of the table, if it is one of the listed files


def find_labels(listing: Listing, asked: str = "") -> Labels:
    """The labels of a listing's images: of the table that is asked for, else of one of TABLES, else their sub-folders.

    `asked` is data.labels: "" or "FILE" or "FILE:COLUMN", of a file beside the images or any other.
    Raises: InputError if a table that is asked for cannot be read or lacks an image. One that is not asked for is left
    out with a note.
    """
    if asked:
        file, column = _split_column(asked)
        inside = file in dict(listing.others)
        content = listing.read(file) if inside else Path(expand(file))
        try:
            return _of_table(listing.images, file, content, column)._replace(table=file if inside else "")
        except InputError as error:
            raise InputError(f"data.labels={asked!r}: {error}") from error
    names = {name for name, _ in listing.others}
    for table in TABLES:
        if table in names:
            try:
                return _of_table(listing.images, table, listing.read(table))._replace(table=table)
            except InputError as error:
                return Labels(note=f"no labels: {error}", table=table)
    return _of_folders(listing.images)


def _split_column(asked: str) -> tuple[str, str]:
    file, colon, column = asked.rpartition(":")
    return (file, column) if colon and Path(file).suffix in (".csv", ".json", ".npy") else (asked, "")


def _of_folders(images: Sequence[str]) -> Labels:
    """The first-level sub-folders as classes, if every image is in one."""
    folders = [name.rpartition("/")[0].partition("/")[0] for name in images]
    outside = [name for name, folder in zip(images, folders, strict=True) if not folder]
    if len(outside) == len(images):
        return Labels()
    if outside:
        inside = len(images) - len(outside)
        verb = "is" if len(outside) == 1 else "are"
        return Labels(note=f"no labels: {listed(outside)} {verb} in no sub-folder, and {inside:,} other images are")
    return of_words(folders)


def of_words(words: Sequence[str]) -> Labels:
    """Different words, or numbers as texts, as the classes 0, 1, ... in their order."""
    names = sorted(set(words), key=natural)
    number = {name: index for index, name in enumerate(names)}
    return Labels(np.array([number[word] for word in words], np.int32), tuple(names))


def _of_table(images: Sequence[str], table: str, content: Path | bytes, column: str = "") -> Labels:
    rows, columns = _read(table, content, images)
    if rows is None:
        return Labels(note=f"no labels: {table} has none")
    values = _in_order(images, rows, table)
    more = len(rows) - len(images)
    extra = f"; it has {more:,} more, of no image here" if more > 0 else ""
    widths = Counter(len(value) for value in values)
    if len(widths) > 1:
        counts = " and ".join(f"{width} in {count:,}" for width, count in widths.most_common(2))
        raise InputError(f"{table} has labels of different lengths: {counts} rows")
    width = len(values[0])
    columns = columns or tuple(map(str, range(width)))
    if column:
        if column not in columns:
            raise InputError(
                f"{table} has no column {column!r}{did_you_mean(column, columns)}; it has {listed(columns, 9)}"
            )
        chosen = columns.index(column)
        words = [value[chosen] for value in values]
        if "" in words:
            raise InputError(f"{table} has no {column!r} of {words.count('')} images: expected one for every image")
        return of_words(words)._replace(note=f"labels are {column!r} of {table}{extra}")
    if width == 1:
        labels = of_words([value[0] for value in values])
        renumbered = labels.names != tuple(map(str, range(len(labels.names)))) and labels.names[0].isdigit()
        numbering = f", numbered 0 to {len(labels.names) - 1} in the order {listed(labels.names)}" if renumbered else ""
        return labels._replace(note=f"labels are from {table}{numbering}{extra}")
    try:
        numbers = np.array(values, np.float32)
    except ValueError as error:
        raise InputError(f"{table} has several labels per image, of which one is no number ({error})") from error
    if not np.isfinite(numbers).all():
        raise InputError(f"{table} has several numbers per image, of which one is NaN or infinite")
    if ((numbers == 0) | (numbers == 1)).all() and (numbers.sum(1) == 1).all():
        return Labels(numbers.argmax(1).astype(np.int32), columns, note=f"labels are from {table}, one-hot{extra}")
    note = f"{table} has {width} numbers per image: data.labels={table}:COLUMN makes one the class ({listed(columns)})"
    return Labels(attributes=numbers, attribute_names=columns, note=note + extra)


def _in_order(images: Sequence[str], rows: Mapping[str, tuple[str, ...]], table: str) -> list[tuple[str, ...]]:
    """The labels of images by their names, or by the last part of them if all are different."""
    bases = [PurePosixPath(name).name for name in images]
    if len(set(bases)) == len(bases) and not any(name in rows for name in images):
        rows = _by_name(((PurePosixPath(name).name, label) for name, label in rows.items()), table)
        keys = bases
    else:
        keys = images
    missing = [name for name, key in zip(images, keys, strict=True) if not any(rows.get(key, ()))]
    if missing:
        names = f"; its names are {listed(list(rows))}" if rows and len(missing) == len(images) else ""
        raise InputError(f"{table} has no label of {listed(missing)}: expected one for every image{names}")
    return [rows[key] for key in keys]


def _read(
    table: str, content: Path | bytes, images: Sequence[str]
) -> tuple[dict[str, tuple[str, ...]] | None, tuple[str, ...]]:
    """Name -> label as texts, None if the table says that there are none; and names of the label's columns, if any."""
    readers = {".json": _read_json, ".csv": _read_csv, ".npy": _read_npy}
    suffix = Path(table).suffix
    if suffix not in readers:
        raise InputError(f"{table}: expected a {', '.join(readers)}")
    try:
        data = content if isinstance(content, bytes) else content.read_bytes()
        rows, columns = readers[suffix](data, images)
    except InputError as error:
        raise InputError(f"{table} {error}") from error
    except OSError as error:
        raise InputError(f"{table} cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError, EOFError, RecursionError, csv.Error) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{table} has no labels by file name ({reason}); see docs/data.md") from error
    return None if rows is None else _by_name(rows, table), columns


def _by_name(rows: Iterable[tuple[object, tuple[str, ...]]], table: str) -> dict[str, tuple[str, ...]]:
    """The rows as a dictionary. Raises: InputError for a name with two labels."""
    labels: dict[str, tuple[str, ...]] = {}
    for name, label in rows:
        if (other := labels.setdefault(_posix(name), label)) != label:
            both = " and ".join(map(", ".join, (other, label)))
            raise InputError(f"{table} has two labels of {name}: {both}")
    return labels


def _read_json(data: bytes, images: Sequence[str]):
    content = json.loads(decode_text(data))
    if isinstance(content, dict) and "labels" in content:
        content = content["labels"]
        if content is None:
            return None, ()
    rows = list(content.items()) if isinstance(content, dict) else content
    if not isinstance(rows, list) or not all(isinstance(row, list | tuple) and len(row) == 2 for row in rows):
        raise ValueError("expected pairs of a name and a label")
    return [(name, _texts(label)) for name, label in rows], ()


def _read_csv(data: bytes, images: Sequence[str]):
    text = decode_text(data)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    lines = [line for line in reader if any(line)]
    if not lines or min(map(len, lines)) < 2:
        raise ValueError("expected a name and a label on each line")
    known = {*images, *(PurePosixPath(name).name for name in images)}
    first = _posix(lines[0][0])
    is_header = first not in known and PurePosixPath(first).suffix.lower() not in SUFFIXES
    columns = tuple(cell.strip() for cell in lines[0][1:]) if is_header else ()
    return [(line[0], tuple(map(_cell, line[1:]))) for line in lines[is_header:]], columns


def _read_npy(data: bytes, images: Sequence[str]):
    x = np.load(io.BytesIO(data), allow_pickle=False)
    if x.ndim == 2 and x.dtype.kind in "US" and x.shape[1] >= 2:
        return [(str(row[0]), tuple(map(str, row[1:]))) for row in x.astype(str)], ()
    if x.ndim not in (1, 2) or len(x) != len(images):
        raise ValueError(f"{x.dtype} {list(x.shape)}: expected one label for each of {len(images)} images")
    return list(zip(images, map(_texts, x.tolist()), strict=True)), ()


def _cell(text: str) -> str:
    """A cell of a table; whole numbers without a point, as in a column of which some cells are empty."""
    return re.sub(r"^(-?\d+)\.0+$", r"\1", text.strip())


def _texts(label: object) -> tuple[str, ...]:
    """A label as texts; whole numbers without a point."""
    if isinstance(label, list):
        return tuple(text for item in label for text in _texts(item))
    is_number = isinstance(label, int | float) and not isinstance(label, bool) and math.isfinite(label)
    if not is_number and not isinstance(label, str):
        raise ValueError(f"{label!r} is no label")
    return (str(int(label)) if isinstance(label, float) and label.is_integer() else str(label).strip(),)


def _posix(name: object) -> str:
    return str(name).strip().replace("\\", "/").removeprefix("./")
