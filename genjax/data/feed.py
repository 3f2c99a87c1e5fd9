"""Batches of a source in its shuffled order: picked on the device where the data fit there, streamed where not.

Either way example number p of a run is the same example, so nothing but speed depends on the choice. Of a batch, each
process takes the part that its devices hold.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from genjax.data.order import positions
from genjax.data.source import Source
from genjax.engine.mesh import replicated, sharded
from genjax.engine.phase import Batch, ScheduledPhase

CHUNK_BYTES = 64 * 2**20
"""Streamed batches that one call of the loop takes are bounded by this."""


class Feed:
    """The real examples of a run, by step."""

    def __init__(self, source: Source, seed: int, mesh: Mesh, resident_bytes: float):
        self.source, self.seed, self.mesh = source, seed, mesh
        self.resident = source.nbytes <= resident_bytes
        self.resident_data = self._place(self._examples(np.arange(source.size)), None) if self.resident else {}

    def capacity(self, span: ScheduledPhase, most: int) -> int:
        """How many steps of a phase one call may take."""
        if self.resident:
            return most
        example = np.prod(self.source.shape) * np.dtype(self.source.dtype).itemsize
        if 0 < span.phase.image_size < self.source.shape[0]:
            example = span.phase.image_size**2 * self.source.shape[2] * np.dtype(np.float32).itemsize
        return max(1, min(most, CHUNK_BYTES // int(example * span.phase.batch * span.phase.batches_per_step)))

    def batches(self, span: ScheduledPhase, step: int, capacity: int) -> Iterator[Any]:
        """Send a count of steps, get their picks with a leading axis of `capacity`, the surplus zero.

        Use: `take = feed.batches(...); next(take); picks = take.send(count)`; close it when done.
        """
        rows = self._indices(span, step) if self.resident else _ahead(self._streamed(span, step), 2 * capacity)
        picks = None
        try:
            while True:
                count = yield picks
                taken = [next(rows) for _ in range(count)]
                picks = self._place(jax.tree.map(lambda *leaves: _stack(leaves, capacity), *taken), 2)
        finally:
            rows.close()

    @staticmethod
    def take_batch(resident_data: Any, picks: Any) -> Batch:
        """Inside jit: the batch that one step's picks name. Shapes: [reals, B] of indices, or the examples."""
        if not resident_data:
            return picks
        return {name: rows.at[picks].get(mode="promise_in_bounds") for name, rows in resident_data.items()}

    def _examples(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        out = {"x": self.source.read(indices)}
        return out if self.source.labels is None else out | {"label": self.source.labels[indices]}

    def _indices(self, span: ScheduledPhase, step: int) -> Iterator[np.ndarray]:
        shape = (span.phase.batches_per_step, span.phase.batch)
        held = sharded(self.mesh, 0).addressable_devices_indices_map(shape[1:]).values()
        here = np.unique([np.arange(shape[1])[part] for part in held])
        count = span.phase.batches_per_step * span.phase.batch
        few = positions(self.seed, self.source.size, 0, span.phase.subset)  # of which the stream is, if there are any
        while True:
            start = span.first_example + (step - span.start) * count
            found = positions(self.seed, len(few) or self.source.size, start, count)
            yield (few[found] if len(few) else found).reshape(shape)[:, here]
            step += 1

    def _streamed(self, span: ScheduledPhase, step: int) -> Iterator[dict[str, np.ndarray]]:
        for indices in self._indices(span, step):
            examples = self._examples(indices.ravel())
            if span.phase.image_size:
                examples["x"] = means_of_blocks(examples["x"], span.phase.image_size)
            yield {name: rows.reshape(*indices.shape, *rows.shape[1:]) for name, rows in examples.items()}

    def _place(self, tree: Any, axis: int | None) -> Any:
        sharding = replicated(self.mesh) if axis is None else sharded(self.mesh, axis)
        return jax.tree.map(lambda a: jax.make_array_from_process_local_data(sharding, a), tree)


def means_of_blocks(x: np.ndarray, side: int) -> np.ndarray:
    """Images of fewer pixels, exactly: the means of square blocks. Those of that size are as they are.

    Shapes: uint8 [N, H, H, C] -> float32 [N, side, side, C].
    """
    count, height, _, channels = x.shape
    if height <= side:
        return x
    blocks = x.reshape(count, side, height // side, side, height // side, channels)
    return blocks.mean((2, 4), dtype=np.float32)


def _stack(rows, capacity):
    out = np.zeros((capacity, *rows[0].shape), rows[0].dtype)
    np.stack(rows, out=out[: len(rows)])
    return out


def _ahead(items: Iterator[Any], depth: int) -> Iterator[Any]:
    """Read ahead on a thread, in order; an error of the reader is raised where its item would have been."""
    ready: queue.Queue = queue.Queue(depth)
    stop = threading.Event()

    def put(item):
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    def read():
        try:
            for item in items:
                put((item, None))
                if stop.is_set():
                    return
        except BaseException as error:
            put((None, error))

    thread = threading.Thread(target=read, name="genjax-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            yield item
    finally:
        stop.set()
        thread.join()
