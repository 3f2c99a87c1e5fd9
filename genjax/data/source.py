"""The contract of a data source: examples by index, with labels and a fingerprint."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np

from genjax.errors import InputError


@dataclass(frozen=True)
class Mixture:
    """Equally likely round Gaussians: centers float64 [modes, 2] and their common standard deviation."""

    centers: np.ndarray
    std: float


class Oracle(Protocol):
    """The distribution of sequences of tokens."""

    def log_probability(self, tokens: np.ndarray) -> np.ndarray:
        """log p of sequences, in nats. Shapes: int [N, T] -> float64 [N]."""


@dataclass(frozen=True)
class Source:
    """Examples by index.

    Shapes: `read` maps indices [N] (any order, repeats allowed) to examples [N, *shape] and is thread-safe. An example
    is an image (H, W, C) in uint8 or uint16, a point (D,) in float32, or a series (T, F) in float32, whose
    steps after its end are NaN (see `genjax.ops.padding`). Labels are int32 [size], or None.
    """

    name: str  # the text that opens this source, as in config.data.name
    split: str
    size: int
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[np.ndarray], np.ndarray]
    labels: np.ndarray | None
    label_names: tuple[str, ...]
    fingerprint: str  # SHA-256 in hex; docs/data.md says what it covers
    mixture: Mixture | None = None  # the distribution of the points, if its modes are known
    stacked: bool = False  # channels are three gray images of ten classes each; the label is 100 a + 10 b + c
    names: Sequence[str] | None = None  # names of the examples by index, such as their files'; None: their numbers
    form: str = ""  # how images were brought to their shape; "": all are as stored. Part of `describe`
    notes: tuple[str, ...] = ()  # a line each for what was left out, or is not as stored; commands print them
    skipped: tuple[str, ...] = ()  # names of broken examples that were left out, as data.skip_broken asks
    attributes: np.ndarray | None = None  # float32 [size, K], where labels are several numbers
    attribute_names: tuple[str, ...] = ()
    oracle: Oracle | None = None  # the distribution of the sequences of tokens, if it is known
    parts: tuple[int, int] | None = None  # sizes of two sets whose pairs are the examples; see `genjax.data.order`

    @property
    def nbytes(self) -> int:
        """Bytes of all examples, decoded."""
        return self.size * prod(self.shape) * np.dtype(self.dtype).itemsize

    def describe(self) -> dict[str, Any]:
        """Name, split, count, shape and fingerprint, as the protocol of a result records them."""
        described = {"name": self.name, "split": self.split, "count": self.size, "shape": list(self.shape)}
        return described | ({"form": self.form} if self.form else {}) | {"fingerprint": self.fingerprint}


def in_memory(
    name: str,
    split: str,
    x: np.ndarray,
    labels: np.ndarray | None,
    label_names: Iterable[str] = (),
    mixture: Mixture | None = None,
) -> Source:
    """A source over arrays. Shapes: x [N, *shape], labels [N] or None."""
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
        mixture=mixture,
    )


def check(source: Any) -> None:
    """Check that an object keeps the contract of `Source`; reads its first example.

    Raises: InputError that names the first violation.
    """
    if not isinstance(source, Source):
        raise InputError(f"expected a genjax.data.Source, got {type(source).__name__}")
    _check_form(source)
    _check_labels(source)
    if not re.fullmatch("[0-9a-f]{64}", str(source.fingerprint)):
        raise InputError(f"fingerprint is {source.fingerprint!r}: expected 64 hex digits, as genjax.data.fingerprint")
    x = np.asarray(source.read(np.array([0])))
    if x.shape != (1, *source.shape) or x.dtype != source.dtype:
        raise InputError(
            f"read([0]) gives {x.dtype} {list(x.shape)}: expected {source.dtype} {[1, *source.shape]}, as shape and "
            "dtype say"
        )


def _check_form(source: Source) -> None:
    if not (_is_integer(source.size) and source.size > 0):
        raise InputError(f"size is {source.size!r}: expected a positive whole number")
    shape = source.shape
    dtype = np.dtype(source.dtype)
    if not isinstance(shape, tuple) or not all(_is_integer(n) and n > 0 for n in shape):
        raise InputError(f"shape is {shape!r}: expected a tuple of positive whole numbers")
    is_image = len(shape) == 3 and dtype in (np.uint8, np.uint16)
    is_point_or_series = len(shape) in (1, 2) and dtype == np.float32
    if not (is_image or is_point_or_series):
        raise InputError(
            f"examples are {dtype} {list(shape)}: expected images uint8 or uint16 (H, W, C), points float32 (D,), or "
            "series float32 (T, F)"
        )


def _check_labels(source: Source) -> None:
    labels = source.labels
    names = source.label_names
    if labels is None:
        return
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int32 or labels.shape != (source.size,):
        is_array = isinstance(labels, np.ndarray)
        description = f"{labels.dtype} {list(labels.shape)}" if is_array else type(labels).__name__
        raise InputError(f"labels are {description}: expected None or a NumPy array, int32 [{source.size}]")
    if labels.min() < 0 or (names and labels.max() >= len(names)):
        raise InputError(
            f"labels go from {labels.min()} to {labels.max()}: expected whole numbers from 0"
            + (f" to {len(names) - 1}, one for each of label_names" if names else "")
        )


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def fingerprint(x: np.ndarray, labels: np.ndarray | None) -> str:
    """SHA-256 over dtype, shape and bytes of the examples, then of the labels; the same on every machine."""
    return fingerprint_of_chunks([x], len(x), labels)


def fingerprint_of_chunks(chunks: Iterable[np.ndarray], count: int, labels: np.ndarray | None) -> str:
    """The `fingerprint` of `count` examples that come in chunks."""
    digest = hashlib.sha256()

    def update(arrays: Iterable[np.ndarray], count: int) -> None:
        for i, array in enumerate(arrays):
            array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
            if i == 0:
                digest.update(f"{array.dtype.str} {(count, *array.shape[1:])}\n".encode())
            digest.update(array)

    update(chunks, count)
    if labels is not None:
        update([labels.astype(np.int32)], len(labels))
    return digest.hexdigest()


def fingerprint_of_text(lines: Iterable[str]) -> str:
    """SHA-256 over lines that describe data too large to be read whole."""
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
