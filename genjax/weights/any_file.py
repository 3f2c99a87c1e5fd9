"""A file of weights that a user names: its digest, and its tensors in whichever format its content is."""

import hashlib
import os
from collections.abc import Iterable
from types import ModuleType

import numpy as np

from genjax.errors import InputError

LONGEST = 9
"""Bytes of a file's beginning that tell its format, at most."""


def digest(path: str | os.PathLike, wanted: str) -> str:
    """SHA-256 of a file, in hex. `wanted` ends what messages say.

    Raises: InputError if the file is absent or unreadable.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; {wanted}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}; {wanted}") from error


def read(path: str | os.PathLike, readers: Iterable[ModuleType], wanted: str) -> dict[str, np.ndarray]:
    """The tensors of a file by name, by the first of `readers` that recognizes how it begins.

    `wanted` is what the file was to be. Raises: InputError if none does, or as they raise.
    """
    with open(path, "rb") as file:
        head = file.read(LONGEST)
    for reader in readers:
        if reader.recognizes(head):
            return reader.read(path)
    raise InputError(f"{path} begins with {head!r}: expected {wanted}")
