"""A trained run with examples that it is applied to."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict
from numpy.typing import ArrayLike

from genjax.config import NOISE
from genjax.data.source import Source
from genjax.engine.outputs import apply_in_batches, check_truncation, noise_option
from genjax.engine.phase import Task
from genjax.engine.state import State, local
from genjax.errors import InputError, NotApplicable, did_you_mean
from genjax.evaluation import sources
from genjax.ops.noise import of_layers
from genjax.ops.pixels import bits_of, quantize
from genjax.run.restore import check_own_data, open_task, restore, saved_config

CHUNK = 4096
"""Number of examples that are read at a time."""


class Examples(NamedTuple):
    """The examples that a run is applied to."""

    data: str = ""  # a data source's name, or the path of a folder or file; "" is the run's own data
    split: str = ""  # "" is the held-out split of the run's own data (else what it was trained on), "train" of others
    size: str = ""  # that images are brought to, "64" or "64x48"; "" leaves them
    channels: int = 0  # that images are brought to, see `genjax.data.images.Form`; 0 leaves them
    count: int | None = None  # number of examples, the first ones; None is all
    range: str = ""  # values of 16-bit and floating-point images that are black and white; "" finds them


OWN = Examples()


@dataclass
class Run:
    """A trained task with examples of the form that it was trained on."""

    task: Task
    state: State  # local to this process
    source: Source | None  # None for a task that takes no examples
    count: int  # number of examples, the first ones of the source
    info: dict[str, Any]  # the contents of config.json

    @property
    def config(self) -> ConfigDict:
        """The config of its training."""
        return saved_config(self.info)

    @property
    def are_images(self) -> bool:
        """Whether examples are images, not points or series."""
        return len(self.info["data"]["shape"]) == 3

    @property
    def bits(self) -> int:
        """Bits per channel of images, 0 of points and series."""
        return self.config.data.bits if self.are_images else 0

    @cached_property
    def examples(self) -> np.ndarray:
        """The examples. Shapes: [count, *shape], uint8 or uint16 pixels, or float32 points."""
        return self.source.read(np.arange(self.count))

    @cached_property
    def trained_on(self) -> Source:
        """The data that the run was trained on. Raises: InputError if it cannot be opened, or has changed."""
        source = sources.open_images(self.config.data.name, self.config.data.split, self.config.data)
        check_own_data(self.info, source)
        return source

    @property
    def labels(self) -> np.ndarray | None:
        """Labels of the examples. Shapes: int32 [count], or None."""
        return None if self.source.labels is None else self.source.labels[: self.count]

    @property
    def names(self) -> list[str] | None:
        """Names of the examples, such as their files'; None if they have none."""
        return None if self.source.names is None else list(self.source.names[: self.count])

    @cached_property
    def latents(self) -> np.ndarray:
        """Latents of the examples. Shapes: [count, ...]."""
        return np.concatenate(list(self.each("encode")))

    def each(self, output: str) -> Iterator[np.ndarray]:
        """An output of the task over all examples, `CHUNK` at a time."""
        self.need(output)
        for start in range(0, self.count, CHUNK):
            indices = np.arange(start, min(start + CHUNK, self.count))
            yield apply_in_batches(self.task.outputs[output], self.state, self.source.read(indices))

    def sample(
        self, seeds: ArrayLike, label: str = "", truncation: float | None = None, ema: bool = True, noise: str = ""
    ) -> np.ndarray:
        """Samples, one per seed, which does not depend on the others.

        With a `label`, seed s becomes s * classes + the label's number, which is of that class. `noise` is that of a
        StyleGAN's layers, of `genjax.config.NOISE`; "": the constant one.
        Shapes: int [N] -> uint8 or uint16 [N, H, W, C], or float32 points [N, D].
        Raises: NotApplicable if the task makes no samples; InputError for no such label, truncation or seeds.
        """
        self.need("sample")
        check_truncation(truncation, self.task.outputs)
        seeds = np.atleast_1d(np.asarray(seeds, np.int64))
        if label:
            classes = self.task.classes
            seeds = seeds * classes + number_of(label, self.info["data"]["labels"], classes)
        if not len(seeds) or seeds.min() < 0 or seeds.max() >= 2**31:
            raise InputError(f"seeds: expected one or more from 0 to {2**31 - 1:,}")
        options = {"ema": ema, "truncation": truncation}
        options |= noise_option(noise or NOISE[0], self.task.outputs, "--noise")
        return apply_in_batches(self.task.outputs["sample"], self.state, seeds.astype(np.int32), **options)

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Decoded latents. Shapes: z [N, ...] -> uint8 or uint16 [N, H, W, C], or float32 [N, D]."""
        self.need("decode")
        return _stored(apply_in_batches(self.task.outputs["decode"], self.state, z), self.bits)

    def decoder(
        self, space: str, ema: bool, truncation: float | None, noise: str, seed: int
    ) -> Callable[[np.ndarray], np.ndarray]:
        """The images of points in `space`, "z" or "w".

        Of a generator with w, `truncation` is psi, and `noise` of `genjax.config.NOISE` is, if random, that of `seed`
        in all images. Truncation of other latents is where they are drawn.
        Shapes: points [N, D] -> uint8 [N, H, W, C].
        Raises: InputError for noise that the run does not have.
        """
        outputs = self.task.outputs
        noise_option(noise, outputs, "--noise")

        def decode(state, z):
            return outputs["decode"](state, z, ema=ema)

        def synthesize(state, points):
            ws = points if space == "w" else outputs["map"](state, points, ema=ema)
            drawn = of_layers(noise, np.full(len(points), seed, np.int32))
            return outputs["synthesize"](state, ws, ema=ema, truncation=truncation, noise=drawn)

        output = synthesize if "map" in outputs else decode
        return lambda points: quantize(apply_in_batches(output, self.state, np.float32(points)))

    def need(self, *outputs: str) -> None:
        """Raises: NotApplicable if the task lacks one of the outputs."""
        for name in outputs:
            if name not in self.task.outputs:
                has = ", ".join(self.task.outputs) or "none"
                raise NotApplicable(f"the task {self.info['config']['task']!r} has no output {name!r}; it has {has}")


def number_of(label: str, names: Sequence[str], classes: int) -> int:
    """The number of the class that a label names. Raises: InputError if there is none."""
    if not classes:
        raise InputError(f"--label={label}: the run has no classes")
    if label in names[:classes]:
        return names.index(label)
    if label.isdigit() and int(label) < classes:
        return int(label)
    expected = f"a number below {classes}" + (f", or one of {', '.join(names[:classes])}" if names else "")
    raise InputError(f"--label={label}: no such class{did_you_mean(label, names)}; expected {expected}")


def open_run(
    workdir: os.PathLike,
    examples: Examples | None = OWN,
    step: int | str | None = None,
    needs: tuple[str, ...] = (),
) -> Run:
    """A run at a step (default: the newest; "best": the best) with examples of the form that it was trained on.

    Without examples (None), no data are needed. Everything that can be refused is checked before anything is compiled.
    Raises: InputError if there is no such run or checkpoint, its task lacks an output that `needs` names, or the
    examples are of another form than it was trained on.
    """
    info, _, task = open_task(workdir)
    run = Run(task, None, None, 0, info)
    try:
        run.need(*needs)
    except NotApplicable as error:
        raise InputError(f"{workdir}: {error}") from error
    if examples and (examples.data or {"encode", "reconstruct"} & run.task.outputs.keys()):
        run.source = open_examples(info, examples)
        if examples.count is not None and examples.count > run.source.size:
            raise InputError(f"--count={examples.count}: {_name(run.source)} has {run.source.size:,} examples")
        run.count = examples.count or run.source.size
    run.task, state = restore(workdir, step)
    run.state = local(state)
    return run


def open_examples(info, examples):
    """The examples that a user names, or the run's own. Raises: InputError if they are of another form."""
    config = saved_config(info)
    shape = tuple(info["data"]["shape"])
    data, split, size, channels, _, limits = examples
    form = {"size": size, "channels": channels, "range": limits}
    if data == config.data.name and not any(form.values()):
        data = ""
    if not data and any(form.values()):
        raise InputError(
            "--size, --channels and --range apply to other data than the run's own: name these data as well"
        )
    if data:
        source = sources.open_images(data, split, form | {"bits": config.data.bits})
    else:
        source = None
        if not split:
            trained_on = info["data"]["fingerprint"]
            source = sources.heldout(config.data.name, config.eval.heldout, config.data, trained_on)
        source = source or sources.open_images(config.data.name, split or config.data.split, config.data)
        check_own_data(info, source)
    if source.shape != shape:
        got = sources.describe_shape(source.shape)
        expected = sources.describe_shape(shape)
        hint = _hint(source.shape, shape)
        raise InputError(f"{_name(source)}: {got}, but the run was trained on {expected}{hint}")
    return source


def _hint(shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Advice on how to convert examples of one shape to another, if they can be."""
    if len(shape) != len(expected):
        return ""
    if len(expected) == 3:
        return f": --size={expected[0]}x{expected[1]} --channels={expected[2]} converts them"
    if len(expected) == 2 and shape[1] == expected[1]:
        return f": {'cut them' if shape[0] > expected[0] else 'fill them up with NaN'} to {expected[0]} steps"
    return ""


def _name(source):
    return f"{source.name} {source.split}".strip()


def restored(task: Task, state: State, x: np.ndarray, corrupt: bool = True) -> tuple[np.ndarray, ...]:
    """Rows of an image of reconstructions: examples, their corruptions if training corrupts, and reconstructions.

    Shapes: x uint8 or uint16 [N, H, W, C] or float32 [N, ...] -> two or three of the same shape and type.
    """
    bits = bits_of(x)
    if not corrupt or "corrupt" not in task.outputs:
        return x, _stored(apply_in_batches(task.outputs["reconstruct"], state, x), bits)
    # One call for all examples: the noise follows from an example's position in its batch.
    corrupted = np.asarray(jax.jit(task.outputs["corrupt"])(state, x))
    reconstructions = apply_in_batches(task.outputs["reconstruct"], state, corrupted)
    return x, _stored(255 * corrupted if bits else corrupted, bits), _stored(reconstructions, bits)


def _stored(y, bits):
    """Examples as they are stored: pixels rounded and clipped to 8 or 16 bits, points and series (0) as float32."""
    return quantize(np.float32(y), bits) if bits else np.float32(y)
