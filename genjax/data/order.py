"""The order of examples: a pure function of the seed and the position, so that nothing has to be saved to resume."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


def positions(seed: int, size: int, start: int, count: int) -> np.ndarray:
    """Indices of examples number start .. start + count - 1 of the endless shuffled stream.

    Position p is entry p % size of a permutation that depends on (seed, p // size) alone: every epoch has every
    example once, and any cut of the stream into batches gives the same stream.

    Shapes: int32 [count].
    Raises: ValueError if size is not positive, or seed, start or count is negative.
    """
    if size < 1 or min(seed, start, count) < 0:
        raise ValueError(f"expected size > 0 and seed, start, count >= 0, got {size=}, {seed=}, {start=}, {count=}")
    out = np.empty(count, np.int32)
    done = 0
    while done < count:
        epoch, offset = divmod(start + done, size)
        piece = _permutation(seed, size, epoch)[offset : offset + count - done]
        out[done : done + len(piece)] = piece
        done += len(piece)
    return out


@lru_cache(maxsize=2)  # a batch may straddle two epochs
def _permutation(seed: int, size: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(size).astype(np.int32)


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

    @property
    def rows(self) -> int:
        """The number of examples of a step that this process reads."""
        return self.batches * len(self.columns)

    def indices(self, step: int) -> np.ndarray:
        """The indices of a step's examples. Shapes: int32 [batches, columns]."""
        count = self.batches * self.batch
        start = self.first_example + (step - self.start) * count
        size = self.size if self.chosen is None else len(self.chosen)
        indices = positions(self.seed, size, start, count)
        if self.chosen is not None:
            indices = self.chosen[indices]
        return indices.reshape(self.batches, self.batch)[:, self.columns]

    def stretch(self, step: int, start: int, stop: int) -> np.ndarray:
        """The indices of examples start .. stop - 1, counted from the first of a step. Shapes: [stop - start]."""
        first, last = start // self.rows, -(-stop // self.rows)
        indices = np.concatenate([self.indices(step + i).ravel() for i in range(first, last)])
        return indices[start - first * self.rows :][: stop - start]
