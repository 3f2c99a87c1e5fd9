"""A config's program as `genjax.train` compiles it, on one device, with the memory and the time that it takes."""

import math
import statistics
import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from genjax import data, tasks
from genjax.api import load_config
from genjax.data.feed import Feed
from genjax.data.source import Source, in_memory
from genjax.engine import loop
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import scheduled_phases
from genjax.engine.state import State, stream

SETTINGS: dict[str, dict[str, str]] = {
    "bfloat16": {"dtype": "bfloat16"},
    "default": {"dtype": "float32", "precision": "default"},
    "float32": {"dtype": "float32", "precision": "highest"},
}
"""Types and precisions by name; "default" is TF32 on a GPU since the A100, and one pass of bfloat16 on a TPU."""

INTERVAL = 16
"""Steps between the rarest parts of a step: calls of a multiple of it have the mean cost."""

IMAGES = 64
"""Number of images of noise, where a config names none that are packaged. Times do not depend on what they show."""


def memory_of(device: Any) -> dict[str, int]:
    """The device's memory statistics; empty where there are none."""
    return device.memory_stats() or {}


def noise_images(pixels: int) -> Source:
    """Color images of noise in memory, of some pixels per side."""
    x = np.random.default_rng(0).integers(0, 256, (IMAGES, pixels, pixels, 3), np.uint8)
    return in_memory(f"noise_{pixels}", "train", x, None)


class Program:
    """The last phase of a config; compiled once, then run from any seed. All seeds have the data in one order."""

    def __init__(
        self, name: str, changes: Mapping[str, Any], pixels: int = 0, capacity: int = INTERVAL, device: Any = None
    ):
        """`changes` are of the config by dotted keys; `pixels`: train on noise of this size, not on its data."""
        self.name, self.config = name, load_config(name, changes)
        self.source = noise_images(pixels) if pixels else data.load(self.config.data)
        self.task = tasks.build(self.config, self.source.shape)
        self.device = device or jax.devices()[0]
        self.capacity = capacity
        self._mesh = make_mesh([self.device])
        self._scheduled = list(scheduled_phases(self.task))[-1]
        self._feed = Feed(self.source, 0, self._mesh, math.inf)
        self._call = loop.compile_phase(self.phase, self._feed.take_batch, self._mesh, capacity)
        self.compiled = None

    @property
    def phase(self):
        """The phase that is run."""
        return self._scheduled.phase

    def begin(self, seed: int) -> None:
        """Start again, from the state of step 0 of a seed."""
        self.state: State = loop.initial_state(self.task, seed, self._mesh)
        self._key = stream(seed, "train")
        self._batches = self._feed.batches(self._scheduled, 0, self.capacity)

    def compile(self) -> float:
        """Compile for the state and the inputs of a run that has begun. Returns: seconds."""
        start = time.perf_counter()
        arguments = (self.state, self._feed.resident_data, self._batches.take(1), 1, self._key)
        with jax.set_mesh(self._mesh):
            self.compiled = self._call.lower(*arguments).compile()
        self._batches = self._feed.batches(self._scheduled, 0, self.capacity)
        return time.perf_counter() - start

    def run(self, count: int) -> dict[str, np.ndarray]:
        """Take `count` steps, at most the capacity, and wait for them. Returns: metrics, [count].

        Raises: ArithmeticError if one is not finite.
        """
        call = self.compiled or self._call
        with jax.set_mesh(self._mesh):
            inputs = self._batches.take(count)
            self.state, rows, _ = call(self.state, self._feed.resident_data, inputs, count, self._key)
        rows = {name: values[:count] for name, values in jax.device_get(rows).items()}
        for name, values in rows.items():
            if not np.isfinite(values).all():
                raise ArithmeticError(f"{name} is not finite after {count} steps")
        return rows


def timed(run: Any, calls: int, call_seconds: float, most: int, multiple: int = 1) -> dict[str, Any]:
    """The time of run(count): a median over calls of about some seconds, after one that is not counted.

    Returns: {"step_ms", "step_ms_range", "steps_per_call"}.
    """
    run(multiple)
    start = time.perf_counter()
    run(multiple)
    least = (time.perf_counter() - start) / multiple
    count = max(1, min(most, round(call_seconds / least)) // multiple) * multiple
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        run(count)
        times.append(1e3 * (time.perf_counter() - start) / count)
    return {"step_ms": statistics.median(times), "step_ms_range": [min(times), max(times)], "steps_per_call": count}
