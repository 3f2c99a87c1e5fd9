"""Tensors of an HDF5 file, as Keras writes it, read by h5py, an optional dependency."""

import os

import numpy as np

from genjax.errors import InputError, optional

SIGNATURE = b"\x89HDF\r\n\x1a\n"
NUMBERS = "fiub"  # kinds of NumPy's dtypes; Keras stores text as well


def recognizes(head: bytes) -> bool:
    """Whether a file that begins with these bytes can be of this format."""
    return head.startswith(SIGNATURE)


def read(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a file, by their paths in it.

    Keras 3 calls every layer's group "vars" and stores the layer's name as an attribute: it replaces "vars" here.
    Raises: InputError if there is no such file, it is of another format or damaged, or h5py is not installed.
    """
    h5py = optional("h5py", str(path))
    arrays = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.dtype.kind in NUMBERS:
            *groups, last = name.split("/")
            if groups[-1:] == ["vars"]:
                groups[-1] = str(item.parent.attrs.get("name", "vars"))
            arrays["/".join([*groups, last])] = item[()]

    try:
        with h5py.File(path) as file:
            file.visititems(visit)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} is not an HDF5 file, or is cut short: {reason}; get it from its source again"
        ) from error
    return arrays
