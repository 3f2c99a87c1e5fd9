"""Streamed examples read by several processes, through Grain: the order and the bits are those of one thread.

The examples of the steps to come are one long row, a function of the step. It is cut into pieces of about PIECE_BYTES,
which are the elements of a Grain data set: process i of n reads pieces i, i + n, ... and hands them over in shared
memory. Nothing is stored to resume, because the row begins at the step at hand.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import connection, parent_process
from typing import Any

import numpy as np
from absl import flags

from genjax.data import encoded
from genjax.data.order import StepOrder
from genjax.data.portable import dump, load
from genjax.data.source import Source
from genjax.errors import InputError, optional

PIECE_BYTES = 2**20
"""Approximate size of the examples that a process reads at a time."""
AHEAD = 4
"""Pieces that each process has ready."""


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
    grain = optional("grain", f"data.workers={workers}")
    if not flags.FLAGS.is_parsed():  # as where genjax is a library; Grain asks for flags of its own
        flags.FLAGS.mark_as_parsed()
    example = read(order.stretch(first, 0, 1))
    size = max(1, PIECE_BYTES // example.nbytes)
    pieces = Pieces(dump(read, name), order, first, stop, size)
    inline = grain.ReadOptions(num_threads=0, prefetch_buffer_size=0)
    processes = grain.multiprocessing.MultiprocessingOptions(workers, per_worker_buffer_size=AHEAD)
    elements = iter(grain.MapDataset.source(pieces).to_iter_dataset(inline).mp_prefetch(processes, begin))
    try:
        yield from _in_steps(_explained(elements), np.empty((order.rows, *example.shape[1:]), example.dtype))
    finally:
        elements.close()


@dataclass
class Pieces:
    """The examples of steps first .. stop - 1 as one row, in pieces of `size`: a data source of Grain."""

    reader: bytes  # see `genjax.data.portable`
    order: StepOrder
    first: int
    stop: int
    size: int
    _read: Callable | None = field(default=None, init=False, repr=False)

    @property
    def examples(self) -> int:
        """The number of all examples."""
        return self.order.rows * (self.stop - self.first)

    def __len__(self) -> int:
        return -(-self.examples // self.size)

    def __getitem__(self, index: int) -> np.ndarray:
        if self._read is None:
            self._read = load(self.reader)
        start = index * self.size
        return self._read(self.order.stretch(self.first, start, min(start + self.size, self.examples)))

    def __repr__(self) -> str:
        return f"Pieces({len(self)})"  # which names the processes


def begin(*_: int) -> None:
    """The begin of a process: one thread decodes, signals are left to the run, whose end is the process's own."""
    os.environ["JAX_PLATFORMS"] = "cpu"  # an extension may compute, but not on the run's devices
    encoded.THREADS = 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    connection.wait([parent_process().sentinel])
    os._exit(1)


def _explained(elements: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The elements of a Grain iterator. Raises: WorkerLost for its error at the end of a process."""
    try:
        yield from elements
    except RuntimeError as error:
        if "terminated unexpectedly" not in str(error):
            raise
        raise WorkerLost(
            f"a process that reads data has ended ({str(error).partition('. ')[0]}): its own message, if any, is above. "
            "Exit code -7 is a full /dev/shm, -9 often full memory: then fewer data.workers. A script that trains "
            "begins with if __name__ == '__main__':"
        ) from error


def _in_steps(pieces: Iterable[np.ndarray], out: np.ndarray) -> Iterator[np.ndarray]:
    """The rows of pieces as arrays like `out`, each new."""
    done = 0
    for piece in pieces:
        while len(piece):
            part, piece = piece[: len(out) - done], piece[len(out) - done :]
            out[done : done + len(part)] = part
            done += len(part)
            if done == len(out):
                yield out
                out, done = np.empty_like(out), 0
