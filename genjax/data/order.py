"""The order of examples: a pure function of the seed and the position, so that nothing has to be saved to resume."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


def positions(seed: int, size: int, start: int, count: int, part: int = 0) -> np.ndarray:
    """Indices of examples number start .. start + count - 1 of the endless shuffled stream.

    Position p is entry p % size of a permutation that depends on (seed, p // size) alone: every epoch has every
    example once, and any cut of the stream into batches gives the same stream. Further parts have orders of their own.

    Shapes: int32 [count].
    Raises: ValueError if size is not positive, or seed, start or count is negative.
    """
    if size < 1 or min(seed, start, count) < 0:
        raise ValueError(f"expected size > 0 and seed, start, count >= 0, got {size=}, {seed=}, {start=}, {count=}")
    out = np.empty(count, np.int32)
    done = 0
    while done < count:
        epoch, offset = divmod(start + done, size)
        piece = _permutation(seed, size, epoch, part)[offset : offset + count - done]
        out[done : done + len(piece)] = piece
        done += len(piece)
    return out


@lru_cache(maxsize=4)  # a batch may straddle two epochs, of each of two parts
def _permutation(seed: int, size: int, epoch: int, part: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch, part)).permutation(size).astype(np.int32)  # a last 0 changes nothing


def parts_of(index: np.ndarray, sizes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Indices into two sets, of an index of all pairs of them. Shapes: [N] -> [N], [N].

    The first max(sizes) pairs have every example of both.
    """
    first, second = sizes
    index = np.asarray(index, np.int64)
    return index % first, (index + index // math.lcm(first, second)) % second


def index_of(parts: tuple[np.ndarray, np.ndarray], sizes: tuple[int, int]) -> np.ndarray:
    """The inverse of `parts_of`. Shapes: [N], [N] -> int64 [N]."""
    (first, second), common = sizes, math.gcd(*sizes)
    a, b = (np.asarray(part, np.int64) for part in parts)
    shift = (b - a) % common  # the number of whole rounds of lcm(sizes) pairs before it
    inverse = pow(first // common, -1, second // common) if second > common else 0
    times = (b - shift - a) // common * inverse % (second // common)
    return shift * math.lcm(first, second) + (a + times * first) % math.lcm(first, second)


def positions_of_pairs(seed: int, sizes: tuple[int, int], start: int, count: int) -> np.ndarray:
    """Indices of pairs of the examples of two sets, each in a shuffled stream of its own, as of `positions`.

    Shapes: int64 [count].
    """
    parts = (positions(seed, size, start, count, part) for part, size in enumerate(sizes))
    return index_of(tuple(parts), sizes)


@dataclass(frozen=True)
class StepOrder:
    """The examples of each step of a phase that one process of a run reads."""

    seed: int
    size: int  # examples of the source
    chosen: np.ndarray | None  # the indices that the phase is limited to; None: all
    batches: int  # per step
    batch: int  # over all processes
    columns: np.ndarray  # of a batch, those that this process reads
    start: int  # the step at which the phase begins
    first_example: int  # its position in the endless shuffled stream
    parts: tuple[int, int] | None = None  # sizes of the two sets whose pairs are the examples, each in its own order

    @property
    def rows(self) -> int:
        """The number of examples of a step that this process reads."""
        return self.batches * len(self.columns)

    def indices(self, step: int) -> np.ndarray:
        """The indices of a step's examples. Shapes: int32, or int64 of more examples, [batches, columns]."""
        count = self.batches * self.batch
        start = self.first_example + (step - self.start) * count
        if self.chosen is not None:
            indices = self.chosen[positions(self.seed, len(self.chosen), start, count)]
        elif self.parts:
            indices = positions_of_pairs(self.seed, self.parts, start, count)
            indices = indices.astype(np.int32) if self.size < 2**31 else indices
        else:
            indices = positions(self.seed, self.size, start, count)
        return indices.reshape(self.batches, self.batch)[:, self.columns]

    def stretch(self, step: int, start: int, stop: int) -> np.ndarray:
        """The indices of examples start .. stop - 1, counted from the first of a step. Shapes: [stop - start]."""
        first, last = start // self.rows, -(-stop // self.rows)
        indices = np.concatenate([self.indices(step + i).ravel() for i in range(first, last)])
        return indices[start - first * self.rows :][: stop - start]
