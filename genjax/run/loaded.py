"""A trained run with examples as its inputs."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax import tasks
from genjax.data.source import Source
from genjax.engine.outputs import apply_in_batches
from genjax.engine.phase import Task
from genjax.engine.state import State, local
from genjax.errors import InputError, NotApplicable
from genjax.evaluation import sources
from genjax.ops.pixels import quantize
from genjax.run.restore import load_info, restore, saved_config

CHUNK = 4096
"""Number of examples per read."""


class Examples(NamedTuple):
    """The examples that a run is applied to."""

    data: str = ""  # a folder, a .npy or a data set's name; "" is the run's own data
    split: str = ""  # "" is the held-out split of the run's own data (else what it was trained on), "train" of others
    size: str = ""  # that images are brought to, "64" or "64x48"; "" leaves them
    channels: int = 0  # that images are brought to, 1 or 3; 0 leaves them
    count: int | None = None  # number of examples, the first ones; None is all


OWN = Examples()


@dataclass
class Run:
    """A trained task with examples of the form that it was trained on."""

    task: Task
    state: State  # of this process
    source: Source | None  # None for a task that takes no examples
    count: int  # of the source's first examples
    about: dict[str, Any]  # its config.json

    @property
    def config(self) -> ConfigDict:
        """The config that it was trained with."""
        return saved_config(self.about)

    @property
    def are_images(self) -> bool:
        """Whether examples are images."""
        return len(self.about["data"]["shape"]) == 3

    @cached_property
    def examples(self) -> np.ndarray:
        """The examples. Shapes: [count, *shape], uint8 pixels or float32 points."""
        return self.source.read(np.arange(self.count))

    @property
    def labels(self) -> np.ndarray | None:
        """Their labels. Shapes: int32 [count], or None."""
        return None if self.source.labels is None else self.source.labels[: self.count]

    @cached_property
    def latents(self) -> np.ndarray:
        """Their latents. Shapes: [count, ...]."""
        return np.concatenate(list(self.each("encode")))

    def each(self, output: str) -> Iterator[np.ndarray]:
        """An output of the task over all examples, some thousand at a time."""
        self.need(output)
        for start in range(0, self.count, CHUNK):
            indices = np.arange(start, min(start + CHUNK, self.count))
            yield apply_in_batches(self.task.outputs[output], self.state, self.source.read(indices))

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Examples of latents or latents. Shapes: z [N, ...] -> uint8 [N, H, W, C], or float32 [N, D]."""
        self.need("decode")
        return _stored(apply_in_batches(self.task.outputs["decode"], self.state, z), self.are_images)

    def need(self, *outputs: str) -> None:
        """Raises: NotApplicable if the task lacks one of the outputs."""
        for name in outputs:
            if name not in self.task.outputs:
                has = ", ".join(self.task.outputs) or "none"
                raise NotApplicable(f"the task {self.about['config']['task']!r} has no output {name!r}; it has {has}")


def open_run(
    workdir: os.PathLike,
    examples: Examples = OWN,
    step: int | None = None,
    needs: tuple[str, ...] = (),
) -> Run:
    """A run at a step (default: the newest) with examples of the form that it was trained on.

    Everything that may be wrong is checked before anything is compiled.
    Raises: InputError if there is no such run or checkpoint, its task lacks an output that `needs` names, or the
    examples are of another form than it was trained on.
    """
    about = load_info(workdir)
    config, shape = saved_config(about), tuple(about["data"]["shape"])
    run = Run(tasks.build(config, shape), None, None, 0, about)
    try:
        run.need(*needs)
    except NotApplicable as error:
        raise InputError(f"{workdir}: {error}") from error
    if examples.data or {"encode", "reconstruct"} & run.task.outputs.keys():
        run.source = _source(about, examples)
        if examples.count is not None and examples.count > run.source.size:
            raise InputError(f"--count={examples.count}: {_name(run.source)} has {run.source.size:,} examples")
        run.count = examples.count or run.source.size
    run.task, state = restore(workdir, step)
    run.state = local(state)
    return run


def _source(about, examples):
    """The examples that a user names, or the run's own. Raises: InputError if they are of another form."""
    config, shape = saved_config(about), tuple(about["data"]["shape"])
    data, split, size, channels, _ = examples
    if data.endswith(".npy") and (split or size or channels):
        raise InputError(f"{data} is an array and used unchanged: omit --split, --size and --channels")
    if data == config.data.name and not (size or channels):
        data = ""
    if not data and (size or channels):
        raise InputError("--size and --channels apply to other data than the run's own: name these data as well")
    if data:
        source = sources.open_images(data, split, {"size": size, "channels": channels})
    else:
        source = None
        if not split:
            trained_on = about["data"]["fingerprint"]
            source = sources.heldout(config.data.name, config.eval.heldout, config.data, trained_on)
        source = source or sources.open_images(config.data.name, split or config.data.split, config.data)
    if source.shape != shape:
        hint = ""
        same_rank = len(shape) == len(source.shape)
        if same_rank and len(shape) == 3 and not data.endswith(".npy"):
            hint = f": --size={shape[0]}x{shape[1]} --channels={shape[2]} converts them"
        if same_rank and len(shape) == 2 and shape[1] == source.shape[1]:
            hint = f": {'cut them' if source.shape[0] > shape[0] else 'fill them up with NaN'} to {shape[0]} steps"
        actual = sources.describe_shape(source.shape)
        expected = sources.describe_shape(shape)
        raise InputError(f"{_name(source)}: {actual}, but the run was trained on {expected}{hint}")
    return source


def _name(source):
    return f"{source.name} {source.split}".strip()


def restored(task: Task, state: State, x: np.ndarray, corrupt: bool = True) -> tuple[np.ndarray, ...]:
    """Rows of an image of reconstructions: examples, their corruptions if training corrupts, and reconstructions.

    Shapes: x uint8 [N, H, W, C] or float32 [N, ...] -> two or three of the same shape and type.
    """
    images = x.ndim == 4
    if not corrupt or "corrupt" not in task.outputs:
        return x, _stored(apply_in_batches(task.outputs["reconstruct"], state, x), images)
    # One call for all examples: the noise follows from an example's position in its batch.
    corrupted = np.asarray(jax.jit(task.outputs["corrupt"])(state, x))
    reconstructions = apply_in_batches(task.outputs["reconstruct"], state, corrupted)
    return x, _stored(255 * corrupted if images else corrupted, images), _stored(reconstructions, images)


def _stored(y, images):
    """Examples as they are stored: pixels rounded and clipped to uint8, points and series as float32."""
    return quantize(np.float32(y)) if images else np.float32(y)
