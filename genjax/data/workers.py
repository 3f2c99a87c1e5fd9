"""Examples read by several processes, through Grain: the order and the bits are those of one thread.

The examples of the steps to come are one long row, a function of the step. It is cut into pieces of one step or
several, about PIECE_BYTES, which are the elements of a Grain data set: process i of n reads pieces i, i + n, ... and
hands them over in shared memory, where they stay until they are on the device. Nothing is stored to resume, because the
row begins at the step at hand.
"""

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from absl import flags

from genjax.data import encoded
from genjax.data.order import StepOrder
from genjax.data.portable import dump, load
from genjax.data.source import Source
from genjax.errors import InputError, optional

PIECE_BYTES = 2**24
"""Approximate size of the examples that a process reads at a time, if a step has no more; smaller pieces cost more."""
MAX_PIECE = 512
"""The number of them up to which a piece has several steps."""
AHEAD = 1
"""Pieces that each process has ready; as many wait in the run's own process."""


class WorkerLost(OSError):
    """A process that reads examples has ended."""


def check(workers: int, source: Source, streamed: bool) -> None:
    """Check that `workers` processes can read a source, if it is streamed. Raises: InputError if they cannot."""
    if workers < 0:
        raise InputError(f"data.workers={workers}: expected a number of processes, or 0 for a thread")
    if workers and streamed:
        optional("grain", f"data.workers={workers}")
        dump(source.read, source.name)


def read_steps(
    read: Callable[[np.ndarray], np.ndarray], name: str, order: StepOrder, first: int, stop: int, workers: int
) -> Iterator[np.ndarray]:
    """The examples of steps first .. stop - 1, read by `workers` processes. Shapes: [order.rows, *shape].

    `read` gives the examples of some indices of the source `name`.
    Raises: WorkerLost if a process ends; InputError if it cannot read examples.
    """
    rows = order.rows
    steps = max(1, piece_size(read(order.stretch(first, 0, 1)).nbytes) // rows)
    indices = partial(order.stretch, first)
    with closing(read_rows(read, name, indices, rows * (stop - first), rows * steps, workers)) as pieces:
        for piece in pieces:
            yield from np.split(piece, len(piece) // rows)


def read_rows(
    read: Callable[[np.ndarray], np.ndarray],
    name: str,
    indices: Callable[[int, int], np.ndarray],
    count: int,
    size: int,
    workers: int,
) -> Iterator[np.ndarray]:
    """A row of `count` examples in pieces of `size`, in order; indices(start, stop) are those of a part of it.

    Raises: as `read_steps`.
    """
    grain = optional("grain", f"data.workers={workers}")
    if not flags.FLAGS.is_parsed():  # as where genjax is a library; Grain asks for flags of its own
        flags.FLAGS.mark_as_parsed()
    inline = grain.ReadOptions(num_threads=0, prefetch_buffer_size=0)
    processes = grain.multiprocessing.MultiprocessingOptions(workers, per_worker_buffer_size=AHEAD)
    pieces = grain.MapDataset.source(Pieces(dump(read, name), indices, count, size))
    elements = iter(pieces.to_iter_dataset(inline).mp_prefetch(processes, begin))
    try:
        yield from elements
    except RuntimeError as error:
        if "terminated unexpectedly" not in str(error):
            raise
        raise WorkerLost(
            f"a process that reads data has ended ({str(error).partition('. ')[0]}); its own message, if any, is "
            "above. Exit code -7 is a full /dev/shm, -9 often full memory: set fewer data.workers. A script that "
            "trains needs if __name__ == '__main__':"
        ) from error
    finally:
        elements.close()
        gc.collect()  # of Grain's cycles, which hold shared memory


def piece_size(nbytes: int) -> int:
    """The number of examples of some bytes each that make a piece of about PIECE_BYTES."""
    return max(1, min(MAX_PIECE, PIECE_BYTES // nbytes))


@dataclass
class Pieces:
    """A row of examples in pieces of `size`: a data source of Grain, whose elements are [size, *shape]."""

    reader: bytes  # see `genjax.data.portable`
    indices: Callable[[int, int], np.ndarray]
    count: int
    size: int
    _read: Callable | None = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return -(-self.count // self.size)

    def __getitem__(self, index: int) -> np.ndarray:
        if self._read is None:
            self._read = load(self.reader)
        start = index * self.size
        return self._read(self.indices(start, min(start + self.size, self.count)))

    def __repr__(self) -> str:
        return f"Pieces({len(self)})"


def begin(*_: int) -> None:
    """The begin of a process: one thread decodes, signals are left to the run, whose end is the process's own."""
    os.environ["JAX_PLATFORMS"] = "cpu"  # an extension may compute, but not on the run's devices
    encoded.THREADS = 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import connection, parent_process

    connection.wait([parent_process().sentinel])
    os._exit(1)
