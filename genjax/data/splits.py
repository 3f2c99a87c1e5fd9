"""Split expressions in TFDS's syntax: `train`, `train[:55000]`, `train[90%:]`, `train+test[:100]`."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from genjax.errors import InputError, did_you_mean

_BOUND = r"(-?\d+%?)?"
_PART = re.compile(rf"([\w.-]+?)(?:\[{_BOUND}:{_BOUND}\])?")


class NoSuchSplit(InputError):
    """A source has no split of this name."""


@dataclass(frozen=True)
class Part:
    """A term of a split expression: a named split or a slice of it."""

    text: str
    name: str
    start: str
    stop: str

    def bounds(self, size: int) -> tuple[int, int]:
        """First and one past the last index, for a split of `size` examples.

        Raises: InputError if a bound lies outside the split, or the slice is empty.
        """
        start, stop = (self._index(bound, size, default) for bound, default in ((self.start, 0), (self.stop, size)))
        if start >= stop:
            raise InputError(f"data.split {self.text!r} selects nothing: {self.name!r} has {size} examples.")
        return start, stop

    def _index(self, bound: str, size: int, default: int) -> int:
        if not bound:
            return default
        percent = bound.endswith("%")
        number = int(bound.removesuffix("%"))
        if abs(number) > (100 if percent else size):
            raise InputError(f"data.split {self.text!r} reaches outside of {self.name!r}, which has {size} examples.")
        index = round(number * size / 100) if percent else number  # to the nearest example, as in TFDS
        return index + size if index < 0 else index


def parse(split: str, known: Iterable[str]) -> list[Part]:
    """The terms of a split expression, in the order written.

    Raises: NoSuchSplit for a name that is not in `known`; InputError if the expression cannot be parsed.
    """
    known = list(known)
    parts = []
    for text in str(split).replace(" ", "").split("+"):
        match = _PART.fullmatch(text)
        if not match:
            raise InputError(
                f"data.split {split!r} cannot be read: write a name such as 'train', a slice such as "
                "'train[:55000]' or 'train[90%:]', or several joined by '+'."
            )
        name, start, stop = match.groups(default="")
        if name not in known:
            raise NoSuchSplit(
                f"data.split {split!r}: there is no split {name!r}{did_you_mean(name, known)}; "
                f"choose from {', '.join(known)}."
            )
        parts.append(Part(text, name, start, stop))
    return parts


def read_splits(
    split: str, known: Iterable[str], load: Callable[[str], tuple[np.ndarray, np.ndarray | None]]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Examples and labels of a split expression; load(name) returns those of one named split.

    Raises: InputError, as `parse` and `Part.bounds`.
    """
    pieces = []
    for part in parse(split, known):
        x, labels = load(part.name)
        bounds = slice(*part.bounds(len(x)))
        pieces.append((x[bounds], None if labels is None else labels[bounds]))
    if len(pieces) == 1:
        return pieces[0]
    xs, labels = zip(*pieces, strict=True)
    return np.concatenate(xs), None if labels[0] is None else np.concatenate(labels)
