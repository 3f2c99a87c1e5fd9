"""The results of a census, and arithmetic that files and other sources share."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from genjax.data.images import Form
from genjax.data.source import Source


@dataclass(frozen=True)
class Values:
    """Smallest, largest and mean value and standard deviation of each channel or coordinate."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass
class FileCounts:
    """The facts that image files alone have. Counts are of usable files; lists are of names."""

    left_out: Counter[str] = field(default_factory=Counter)  # other files, by kind
    formats: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)  # (height, width) as stored, after orientation
    modes: Counter[str] = field(default_factory=Counter)  # Pillow's
    bits: Counter[int] = field(default_factory=Counter)  # per channel
    animated: list[str] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)  # by EXIF orientation
    smaller: list[str] = field(default_factory=list)  # than the form's size
    range: tuple[float, float] | None = None  # of pixels in eight bits
    deep_range: tuple[float, float] | None = None  # of gray with more than eight bits, in the file's own values
    copies: tuple[tuple[int, ...], ...] = ()  # groups of examples whose files are equal to the byte


@dataclass(frozen=True)
class Census:
    """The examples of a source that can be used, and their counts.

    `source` reads them in the form that training would get with the suggested flags; that of image files has no
    fingerprint.
    """

    source: Source
    form: Form  # of images: that of `source`
    total: int  # examples of the split, broken ones and those beyond the ones that were counted included
    broken: dict[str, str]  # name -> reason
    colorless: bool  # color images whose channels are equal in every one
    duplicates: tuple[tuple[int, ...], ...]  # groups of examples that are equal once they are decoded
    values: Values | None = None  # of sources that are no image files
    lengths: np.ndarray | None = None  # of series
    files: FileCounts | None = None
    label_note: str = ""  # where labels are from, or why there are none
    label_table: str = ""  # as data.labels

    @property
    def kind(self) -> str:
        """The noun for examples: "images", "points" or "series"."""
        return {3: "images", 1: "points", 2: "series"}[len(self.source.shape)]

    @property
    def classes(self) -> dict[str, int]:
        """The number of examples of each class; empty without labels."""
        if self.source.labels is None:
            return {}
        names = self.source.label_names
        counts = np.bincount(self.source.labels, minlength=len(names)).tolist()
        return dict(zip(names or map(str, range(len(counts))), counts, strict=True))

    @property
    def across_classes(self) -> tuple[tuple[int, ...], ...]:
        """The groups of duplicates that have more than one class."""
        labels = self.source.labels
        return tuple(group for group in self.duplicates if labels is not None and len(set(labels[list(group)])) > 1)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole split, decoded."""
        return (self.total - len(self.broken)) * self.source.nbytes // max(self.source.size, 1)

    def name_of(self, index: int) -> str:
        """The name of an example, or its number."""
        return str(index) if self.source.names is None else self.source.names[index]


def digest(*parts) -> bytes:
    """16 bytes that are equal for equal texts and arrays only."""
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        total.update(part)
    return total.digest()


def equal_groups(digests: list[bytes]) -> tuple[tuple[int, ...], ...]:
    """The indices of equal digests, one tuple per group of more than one, in order."""
    x = np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)
    order = np.lexsort(x.T)
    equal = (x[order][1:] == x[order][:-1]).all(1)
    repeated = np.r_[False, equal] | np.r_[equal, False]
    first = ~np.r_[False, equal][repeated]
    groups = np.split(order[repeated], np.flatnonzero(first)[1:])
    return tuple(sorted(tuple(group.tolist()) for group in groups if len(group)))


class Moments:
    """Range, mean and standard deviation of the last axis of arrays that come in parts; NaN is left out."""

    def __init__(self, width: int):
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)
        self.count, self.mean, self.squares = np.zeros((3, width))

    def add(self, x: np.ndarray) -> None:
        """Count a part. Shapes: uint8 or floating-point [..., width]."""
        x = x.reshape(-1, x.shape[-1])
        if x.dtype == np.uint8:
            weight = np.stack([np.bincount(column, minlength=256) for column in x.T], 1)
            x = np.arange(256.0)[:, None]
        else:
            weight = ~np.isnan(x)
            x = np.where(weight, x, 0).astype(np.float64)
        count = weight.sum(0)
        mean = (x * weight).sum(0) / np.maximum(count, 1)
        squares = ((x - mean) ** 2 * weight).sum(0)
        # Chan, Golub and LeVeque's update of a mean and a sum of squared deviations
        total = np.maximum(self.count + count, 1)
        change = mean - self.mean
        self.squares += squares + change**2 * self.count * count / total
        self.mean += change * count / total
        self.count += count
        self.low = np.minimum(self.low, np.where(weight, x, np.inf).min(0))
        self.high = np.maximum(self.high, np.where(weight, x, -np.inf).max(0))

    def values(self) -> Values:
        """The results."""
        std = np.sqrt(self.squares / np.maximum(self.count, 1))
        return Values(*(tuple(x.tolist()) for x in (self.low, self.high, self.mean, std)))
