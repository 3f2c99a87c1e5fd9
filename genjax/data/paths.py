"""Paths as names of sources: the kind of source that opens one, and what is wrong with one that none opens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genjax.data.images import SUFFIXES
from genjax.data.packed import DESCRIPTION as PACKED
from genjax.errors import InputError
from genjax.files import expand

KINDS = {
    ".zip": "folder",
    ".npy": "array",
    ".npz": "array",
    ".h5": "array",
    ".hdf5": "array",
    ".parquet": "parquet",
    ".csv": "series",
    ".tsv": "series",
} | dict.fromkeys(SUFFIXES, "image")
"""The ending of a file -> the kind of source that opens it."""


def kind_of(name: str) -> str:
    """The kind of source that opens a path, such as "folder"; "" for what is no path or of no kind that is read."""
    path = Path(expand(name))
    if os.path.isfile(path / PACKED):
        return "packed"
    if os.path.isdir(path):
        return "parquet" if any(path.glob("*.parquet")) or any(path.glob("*/*.parquet")) else "folder"
    return KINDS.get(path.suffix.lower(), "") if os.path.isfile(path) else ""


def refuse_path(name: str) -> None:
    """Refuse a name that is, or looks like, a path that no source opens. Raises: InputError."""
    path = expand(name)
    endings = [ending for ending in KINDS if ending not in SUFFIXES]
    expected = f"expected a folder, an image, or a file that ends in {', '.join(endings)}"
    if os.path.exists(path):
        raise InputError(f"{name} is of a kind that is not read: {expected}")
    if os.sep in path or Path(path).suffix.lower() in KINDS:
        raise InputError(f"{name}: no such file or folder; {expected}")


@contextmanager
def reachable(name: str) -> Iterator[None]:
    """Within, an error of the system, such as of a folder that may not be entered, is one of the input.

    Raises: InputError.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"{name} cannot be opened: {error.strerror or error}") from error
