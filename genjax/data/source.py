"""What every data set becomes: examples by index, with labels and a fingerprint."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Source:
    """Examples by index.

    Shapes: `read` maps indices [N] (any order, repeats allowed) to examples [N, *shape] and is thread-safe. An example
    is an image (H, W, C) in uint8 or a point (D,) in float32; labels are int32 [size], or None.
    """

    name: str  # as the user wrote it
    split: str
    size: int
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[np.ndarray], np.ndarray]
    labels: np.ndarray | None
    label_names: tuple[str, ...]
    fingerprint: str  # sha256 in hex; docs/data.md says of what

    @property
    def nbytes(self) -> int:
        """Bytes of all examples, decoded."""
        return self.size * prod(self.shape) * np.dtype(self.dtype).itemsize

    def describe(self) -> dict[str, Any]:
        """Name, split, count, shape and fingerprint: what the protocol of a result says of a source."""
        described = {"name": self.name, "split": self.split, "count": self.size, "shape": list(self.shape)}
        return described | {"fingerprint": self.fingerprint}


def in_memory(name: str, split: str, x: np.ndarray, labels: np.ndarray | None, label_names=()) -> Source:
    """A source over arrays: x [N, *shape], labels [N] or None."""
    labels = None if labels is None else labels.astype(np.int32)
    return Source(
        name=name,
        split=split,
        size=len(x),
        shape=x.shape[1:],
        dtype=x.dtype,
        read=lambda indices: x[np.asarray(indices)],
        labels=labels,
        label_names=tuple(label_names),
        fingerprint=fingerprint(x, labels),
    )


def fingerprint(x: np.ndarray, labels: np.ndarray | None) -> str:
    """sha256 over dtype, shape and bytes of the examples and then of the labels, the same on every machine."""
    digest = hashlib.sha256()
    for array in (x,) if labels is None else (x, labels.astype(np.int32)):
        array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
        digest.update(f"{array.dtype.str} {array.shape}\n".encode())
        digest.update(array)
    return digest.hexdigest()


def fingerprint_of_text(lines: Iterable[str]) -> str:
    """sha256 over lines that describe data too large to be read whole."""
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
