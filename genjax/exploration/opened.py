"""A run that is opened for requests: what it has, its checkpoints, and its outputs compiled for one example each."""

import os
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from genjax.engine.checkpoint import Checkpoints
from genjax.engine.state import State, local
from genjax.errors import InputError
from genjax.ops.noise import of_layers
from genjax.ops.pixels import quantize
from genjax.run import exported
from genjax.run.loaded import OWN, open_examples
from genjax.run.restore import open_task, restore

STATES = 4  # checkpoints that are kept in memory
REMEMBERED = 64  # other values that are kept


class Opened:
    """A run of images, opened for requests.

    Raises: InputError for a folder without a run, a run of another version, one of points, one that has neither
    latents nor images to start from, or one without a checkpoint.
    """

    def __init__(self, workdir: str | os.PathLike):
        self.workdir = Path(workdir)
        self.info, _, self.task = open_task(workdir)
        self.shape = tuple(self.info["data"]["shape"])
        self.outputs = self.task.outputs
        if len(self.shape) != 3:
            raise InputError(f"{workdir} is a run of points or series: genjax.explore shows images, genjax.show these")
        if not self.kinds:
            has = ", ".join(self.outputs) or "none"
            raise InputError(f"{workdir}: the task makes no images that can be explored; its outputs are {has}")
        if not exported.is_exported(workdir) and not self.steps():
            every = self.info["config"]["save_every"]
            raise InputError(
                f"{workdir} has no checkpoint yet: a run that is training saves one every {every:,} steps, by its "
                "save_every; wait for the first"
            )
        self._states: OrderedDict[tuple, State] = OrderedDict()
        self._memo: OrderedDict[tuple, Any] = OrderedDict()
        self._programs: dict[str, Callable] = {}

    # What the run has

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of starts that the run has; the first is the default."""
        has = self.outputs.keys()
        if {"latents", "decode"} <= has:
            return ("seeds", "examples", "images", "codes") if "encode" in has else ("seeds", "codes")
        if {"encode", "decode"} <= has or self.is_translation or self.is_stylization:
            return ("examples", "images")
        return ("seeds",) if self.is_still else ()

    @property
    def is_translation(self) -> bool:
        """Whether images are translated."""
        return "translate" in self.outputs or self.is_unpaired

    @property
    def is_unpaired(self) -> bool:
        """Whether they are translated both ways."""
        return {"to_a", "to_b"} <= self.outputs.keys()

    @property
    def is_stylization(self) -> bool:
        """Whether contents are shown in styles."""
        return {"features", "pixels"} <= self.outputs.keys()

    @property
    def is_still(self) -> bool:
        """Whether there is one image, as of a descent in its pixels."""
        return "sample" in self.outputs and "decode" not in self.outputs

    @property
    def encodes(self) -> bool:
        """Whether examples and images have codes, which are decoded."""
        return {"encode", "decode"} <= self.outputs.keys()

    @property
    def bits(self) -> int:
        """Bits per channel."""
        return self.info["config"]["data"].get("bits", 8)

    @property
    def classes(self) -> list[str]:
        """Names of the classes that can be chosen, or their numbers."""
        names = self.info["data"].get("labels") or []
        return [names[i] if i < len(names) else str(i) for i in range(self.task.classes)]

    @property
    def has_styles(self) -> bool:
        """Whether latents are mapped to w, one per layer."""
        return "map" in self.outputs

    @property
    def has_noise(self) -> bool:
        """Whether layers have noise that can be chosen."""
        return self.has_styles and self.info["config"]["generator"].get("noise", True)

    @property
    def has_average(self) -> bool:
        """Whether there are averaged weights beside those of training, and images of both."""
        return "seeds" in self.kinds and bool(self.state(None).ema)

    @property
    def codebook(self) -> int:
        """Number of codes of a vector-quantized autoencoder, 0 of others."""
        return self.info["config"].get("codebook", {}).get("codes", 0)

    @cached_property
    def latents(self) -> int:
        """Number of latents that can be moved, the one-hot of a class left out; 0 of indices of codes."""
        state = self.state(None)
        if "latents" in self.outputs:
            z = jax.eval_shape(self.outputs["latents"], state, jax.ShapeDtypeStruct((1,), np.int32))
        elif self.encodes:
            dtype = np.uint16 if self.bits == 16 else np.uint8
            z = jax.eval_shape(self.outputs["encode"], state, jax.ShapeDtypeStruct((1, *self.shape), dtype))
        else:
            return 0
        return int(np.prod(z.shape[1:])) - self.task.classes if z.dtype.kind == "f" else 0

    @cached_property
    def code_shape(self) -> tuple[int, ...]:
        """The shape of the latents of genjax.project: of z, or of w+."""
        state = self.state(None)
        z = jax.eval_shape(self.outputs["latents"], state, jax.ShapeDtypeStruct((1,), np.int32))
        if not self.has_styles:
            return z.shape[1:]
        return (self.task.layers, jax.eval_shape(self.outputs["map"], state, z).shape[1])

    @cached_property
    def examples(self):
        """The held-out examples of the run's data. Raises: InputError if they are gone."""
        return open_examples(self.info, OWN)

    # Its checkpoints

    def steps(self) -> list[int]:
        """The steps that have a checkpoint now; none for an exported folder, which has one state."""
        return [] if exported.is_exported(self.workdir) else Checkpoints(self.workdir / "checkpoints").steps()

    def state(self, step: int | str | None) -> State:
        """The state of a step (None: the newest when the run was opened). Raises: InputError if there is none."""
        if step not in self._states:
            _, state = restore(self.workdir, step)
            self._states[step] = local(state)
            while len(self._states) > STATES:
                self._states.popitem(last=False)
        self._states.move_to_end(step)
        return self._states[step]

    # Its outputs

    def program(self, name: str) -> Callable:
        """An output, compiled once; "synthesize" takes the truncation, a seed, which weights, and noise by its name."""
        if name not in self._programs:
            output = self.outputs[name]
            if name == "synthesize":
                self._programs[name] = jax.jit(partial(_synthesize, output), static_argnums=(4, 5))
            else:
                static = ("ema",) if name in ("map", "decode") else ()
                self._programs[name] = jax.jit(output, static_argnames=static)
        return self._programs[name]

    def compiled(self, name: str, function: Callable) -> Callable:
        """A function of outputs, compiled once under a name."""
        if name not in self._programs:
            self._programs[name] = jax.jit(function)
        return self._programs[name]

    def stored(self, x) -> np.ndarray:
        """The image of pixels from 0 to 255. Shapes: [1, H, W, C] -> uint8 or uint16 [H, W, C]."""
        return quantize(np.float32(x), self.bits)[0]

    def remembered(self, key: tuple, make: Callable) -> Any:
        """The value of `make`, kept for the next call with an equal key."""
        if key not in self._memo:
            self._memo[key] = make()
            while len(self._memo) > REMEMBERED:
                self._memo.popitem(last=False)
        self._memo.move_to_end(key)
        return self._memo[key]


def _synthesize(synthesize, state, ws, psi, seeds, ema, noise):
    """The output "synthesize" with noise by its name."""
    return synthesize(state, ws, ema=ema, truncation=psi, noise=of_layers(noise, seeds))
