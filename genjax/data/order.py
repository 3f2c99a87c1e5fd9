"""The order of examples: a pure function of the seed and the position, so that nothing has to be saved to resume."""

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
