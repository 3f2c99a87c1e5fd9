"""Batches of a source in its shuffled order: gathered on the device if the data fit there, streamed if not.

Either way example number p of a run is the same example, so the choice changes nothing but speed. Each process reads
the part of a batch that its devices hold.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from genjax.data import workers
from genjax.data.order import StepOrder, positions
from genjax.data.read_ahead import ahead
from genjax.data.source import Source
from genjax.engine.mesh import replicated, sharded
from genjax.engine.phase import Batch, Phase, ScheduledPhase

CHUNK_BYTES = 64 * 2**20
"""Largest size of the streamed batches of one call of the loop."""


def take_batch(resident_data: Any, indices_or_batch: Any, shape: tuple[int, ...]) -> Batch:
    """The batch of one step, inside jit. Shapes: indices [batches, B], or the examples; `shape` is that of one.

    Resident examples are rows, [N, numbers], because TPUs pad the last two dimensions of an array: those of images of
    28x28 to five times their size.
    """
    if not resident_data:
        return indices_or_batch
    batch = {name: rows.at[indices_or_batch].get(mode="promise_in_bounds") for name, rows in resident_data.items()}
    return batch | {"x": batch["x"].reshape(*indices_or_batch.shape, *shape)}


class Feed:
    """The real examples of a run, by step."""

    def __init__(self, source: Source, seed: int, mesh: Mesh, resident_bytes: float, workers: int = 0):
        self.source = source
        self.workers = workers
        self.seed = seed
        self.mesh = mesh
        self.resident = source.nbytes <= resident_bytes
        self.take_batch = partial(take_batch, shape=source.shape)
        self.resident_data = {}
        if self.resident:
            rows = self._examples(np.arange(source.size))
            self.resident_data = self._place(rows | {"x": rows["x"].reshape(source.size, -1)}, None)

    def with_seed(self, seed: int) -> "Feed":
        """A feed of the same examples, which are in memory once, in another order."""
        other = copy.copy(self)
        other.seed = seed
        return other

    def capacity(self, scheduled: ScheduledPhase, max_steps: int) -> int:
        """The number of steps of a phase that one call may take, at most `max_steps`."""
        if self.resident:
            return max_steps
        phase = scheduled.phase
        example_bytes = np.prod(self.source.shape) * np.dtype(self.source.dtype).itemsize
        if 0 < phase.image_size < self.source.shape[0]:
            blocks = self.source.shape[0] // phase.image_size
            example_bytes = np.prod(self.source.shape) // blocks**2 * np.dtype(np.float32).itemsize
        step_bytes = int(example_bytes * phase.batch * phase.batches_per_step)
        return max(1, min(max_steps, CHUNK_BYTES // step_bytes))

    def batches(self, scheduled: ScheduledPhase, step: int, capacity: int) -> "Batches":
        """The inputs of a phase from a global step on, for calls of up to `capacity` steps; close them when done."""
        order = self._order(scheduled)
        if self.resident:
            rows = (order.indices(number) for number in count(step))
        else:
            rows = ahead(self._streamed(scheduled, order, step), 2 * capacity)
        return Batches(rows, capacity, lambda tree: self._place(tree, 2))

    def _order(self, scheduled: ScheduledPhase) -> StepOrder:
        """The examples of each step that this process holds."""
        phase = scheduled.phase
        parts = sharded(self.mesh, 0).addressable_devices_indices_map((phase.batch,)).values()
        return StepOrder(
            seed=self.seed,
            size=self.source.size,
            chosen=positions(self.seed, self.source.size, 0, phase.subset) if phase.subset else None,
            batches=phase.batches_per_step,
            batch=phase.batch,
            columns=np.unique([np.arange(phase.batch)[part] for part in parts]),
            start=scheduled.start,
            first_example=scheduled.first_example,
            parts=self.source.parts,
        )

    def _examples(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": self.source.read(indices)} | self._labels(indices)

    def _labels(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        return {} if self.source.labels is None else {"label": self.source.labels[indices]}

    def _streamed(self, scheduled: ScheduledPhase, order: StepOrder, step: int) -> Iterator[dict[str, np.ndarray]]:
        """The examples of each step. Shapes: [batches, B, ...]."""
        read = partial(read_at, self.source.read, side=scheduled.phase.image_size)
        if self.workers:
            steps = workers.read_steps(read, self.source.name, order, step, scheduled.stop, self.workers)
        else:
            steps = (read(order.indices(number).ravel()) for number in count(step))
        with closing(steps):
            for number, x in zip(count(step), steps, strict=False):
                indices = order.indices(number)
                yield {"x": x.reshape(*indices.shape, *x.shape[1:])} | self._labels(indices)

    def _place(self, tree: Any, axis: int | None) -> Any:
        sharding = replicated(self.mesh) if axis is None else sharded(self.mesh, axis)
        return jax.tree.map(lambda a: jax.make_array_from_process_local_data(sharding, a), tree)


class FeedOfSeeds:
    """The real examples of several seeds that train together: each has its own order of the same data."""

    def __init__(self, feed: Feed, seeds: Sequence[int]):
        """From the feed of any seed, whose resident data all share."""
        self._feeds = [feed.with_seed(seed) for seed in seeds]
        self.take_batch = feed.take_batch
        self.resident_data = feed.resident_data

    def capacity(self, scheduled: ScheduledPhase, max_steps: int) -> int:
        """As `Feed.capacity`; the streamed batches of all seeds are as large as those of one."""
        feed = self._feeds[0]
        capacity = feed.capacity(scheduled, max_steps)
        return capacity if feed.resident else max(1, capacity // len(self._feeds))

    def batches(self, scheduled: ScheduledPhase, step: int, capacity: int) -> "BatchesOfSeeds":
        """As `Feed.batches`, for all seeds."""
        return BatchesOfSeeds([feed.batches(scheduled, step, capacity) for feed in self._feeds])


def like(source: Source, phase: Phase, mesh: Mesh, resident: bool, capacity: int) -> tuple[Any, Any]:
    """Shapes, types and shardings of what a feed gives a call of up to `capacity` steps; nothing is read.

    Returns: the resident data, or nothing; and indices of them, or the examples themselves.
    """
    steps = (capacity, phase.batches_per_step, phase.batch)
    over_steps = sharded(mesh, 2)
    if resident:
        bank = _examples_like(source, (source.size,), (math.prod(source.shape),), source.dtype, replicated(mesh))
        return bank, jax.ShapeDtypeStruct(steps, np.int32, sharding=over_steps)
    shape, dtype = source.shape, source.dtype
    if 0 < phase.image_size < shape[0]:
        shape, dtype = (phase.image_size, phase.image_size, shape[2]), np.float32
    return {}, _examples_like(source, steps, shape, dtype, over_steps)


def _examples_like(source, lead, shape, dtype, sharding):
    out = {"x": jax.ShapeDtypeStruct((*lead, *shape), dtype, sharding=sharding)}
    if source.labels is not None:
        out["label"] = jax.ShapeDtypeStruct(lead, source.labels.dtype, sharding=sharding)
    return out


class Batches:
    """The inputs of the steps of a phase, in their order; see `Feed.batches`."""

    def __init__(self, rows: Iterator[Any], capacity: int, place: Callable[[Any], Any]):
        self._rows = rows
        self._capacity = capacity
        self._place = place

    def take(self, count: int) -> Any:
        """The inputs of the next `count` steps on the devices. Shapes: [capacity, batches, B, ...], padded by zeros."""
        rows = [next(self._rows) for _ in range(count)]
        return self._place(jax.tree.map(lambda *leaves: _stack(leaves, self._capacity), *rows))

    def close(self) -> None:
        """Stop reading."""
        self._rows.close()


class BatchesOfSeeds:
    """The inputs of the steps of a phase for several seeds; see `FeedOfSeeds.batches`."""

    def __init__(self, batches: Sequence[Batches]):
        self._batches = batches

    def take(self, count: int) -> Any:
        """As `Batches.take`. Shapes: [seeds, capacity, batches, B, ...]."""
        taken = [batches.take(count) for batches in self._batches]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *taken)

    def close(self) -> None:
        """Stop reading."""
        for batches in self._batches:
            batches.close()


def read_at(read: Callable[[np.ndarray], np.ndarray], indices: np.ndarray, side: int) -> np.ndarray:
    """Examples by index, at the size that a phase trains on: `side` rows, or 0 for those of the source."""
    return means_of_blocks(read(indices), side) if side else read(indices)


def means_of_blocks(x: np.ndarray, rows: int) -> np.ndarray:
    """Downsample images to means of square blocks, without rounding; images of fewer rows are returned unchanged.

    Shapes: uint8 [N, H, W, C] -> float32 [N, rows, W * rows / H, C].
    """
    count, height, width, channels = x.shape
    if height <= rows:
        return x
    side = height // rows
    blocks = x.reshape(count, rows, side, width // side, side, channels)
    return blocks.mean((2, 4), dtype=np.float32)


def _stack(rows, capacity):
    if capacity == 1:
        return rows[0][None]
    out = np.zeros((capacity, *rows[0].shape), rows[0].dtype)
    np.stack(rows, out=out[: len(rows)])
    return out
