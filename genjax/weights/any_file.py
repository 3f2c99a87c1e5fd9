"""A user's file of weights: its digest, and its tensors, in any of several formats."""

import hashlib
import os
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from genjax.errors import InputError

HEAD = 9
"""Bytes at the beginning of a file that tell its format."""


def digest(path: str | os.PathLike, expected: str) -> str:
    """SHA-256 of a file, in hex; messages end in `expected`, a description of the right file.

    Raises: InputError if the file is absent or unreadable.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; {expected}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}; {expected}") from error


def read(path: str | os.PathLike, readers: Iterable[ModuleType], expected: str) -> Any:
    """The contents of a file, mostly tensors by name, by the first of `readers` that recognizes how it begins.

    `expected` names the formats, for messages. Raises: InputError if no reader recognizes it, or as they raise.
    """
    with open(path, "rb") as file:
        head = file.read(HEAD)
    for reader in readers:
        if reader.recognizes(head):
            return reader.read(path)
    raise InputError(f"{path} begins with {head!r}: expected {expected}")
