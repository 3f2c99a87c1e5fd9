"""genjax as a library: configs by name, training in a folder, and a trained run as an object. See docs/library.md.

`import genjax` has these names without importing anything. None is the name of a module, as `genjax.train`,
`genjax.config` and `genjax.sample` are: an imported module replaces the attribute of its package that has its name.
"""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict
from numpy.typing import ArrayLike
from PIL.Image import Image

from genjax import config_files, projection, tasks, translation
from genjax.config import check, override
from genjax.engine.compiler import enable_compilation_cache
from genjax.engine.outputs import apply_in_batches
from genjax.errors import InputError
from genjax.evaluation import registry
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.of_run import Choices, context_of
from genjax.evaluation.protocol import Result
from genjax.report import gallery
from genjax.report.console import watch
from genjax.run.backup import Backup
from genjax.run.loaded import Run, open_run, restored
from genjax.run.training import train

__all__ = ["InputError", "TrainedRun", "load", "load_config", "train_run"]


def load_config(name: str, overrides: Mapping[str, Any] | None = None, **keys: Any) -> ConfigDict:
    """A config by its name or file, as "stylegan2", "stylegan2:smoke" or "mine.py", with some of its keys changed.

    `overrides` are by dotted keys, {"data.name": "folder:photos"}; `keys` are those without a dot, steps=100.
    Raises: InputError for a config, variant or key that there is not, and for values of another type.
    """
    config = config_files.load(name)
    override(config, {**(overrides or {}), **keys})
    check(config, tasks.default_config(config.task))
    return config


def train_run(
    config: ConfigDict | str,
    workdir: str | PathLike,
    *,
    force: bool = False,
    tensorboard: bool = False,
    backup: str = "",
) -> "TrainedRun":
    """Train a config (or the one that a name stands for) in a folder, as `genjax.train` does, and load the run.

    A folder with the same run goes on from its newest checkpoint; `force` goes on although config, data or code differ.
    `backup`: where in object storage the run is copied to, as gs://BUCKET/FOLDER.
    Raises: InputError if the config cannot be run, or the folder holds another run; KeyboardInterrupt when it was
    interrupted, after it was saved; RuntimeError if a fault stopped it, which was printed.
    """
    enable_compilation_cache()
    config = load_config(config) if isinstance(config, str) else config
    code = train(config, workdir, force, tensorboard, Backup(backup) if backup else None)
    if code == 1:
        raise RuntimeError(f"the training in {workdir} was stopped by the fault that is printed above")
    if code:
        raise KeyboardInterrupt(f"{signal.Signals(code - 128).name}: saved in {workdir}; train_run again to resume")
    return load(workdir)


def load(workdir: str | PathLike, step: int | str | None = None) -> "TrainedRun":
    """A trained run from its folder alone, at a step: the newest, or "best" (`eval.best`), or a number.

    Raises: InputError if there is no such run or checkpoint, or it is damaged.
    """
    enable_compilation_cache()
    run = open_run(workdir, None, step)
    return TrainedRun(run.task, run.state, None, 0, run.info, Path(workdir))


@dataclass(repr=False)
class TrainedRun(Run):
    """A trained run. Images are uint8 (or uint16) [N, H, W, C], points and series float32 [N, ...], in and out.

    Besides the methods here, `sample` and `decode` are those of `genjax.run.loaded.Run`. `run.task.outputs` has the
    pure functions below them, of the state first (`genjax.engine.outputs`).
    """

    workdir: Path

    def __repr__(self) -> str:
        return f"<{self.workdir}: {self.config.task} at step {int(self.state.step):,}; {', '.join(self.task.outputs)}>"

    @property
    def params(self) -> dict[str, Any]:
        """The weights by net, as a tree of arrays; `run.state` has statistics, averages and optimizers, too."""
        return {name: net.params for name, net in self.state.nets.items()}

    def apply(self, output: str, x: ArrayLike, **options: Any) -> np.ndarray:
        """An output of the task by its name, of inputs in any number: `run.apply("map", z)`.

        Shapes: [N, ...] -> [N, ...], see `genjax.engine.outputs.OUTPUTS`.
        Raises: NotApplicable if the task has no such output.
        """
        self.need(output)
        return apply_in_batches(self.task.outputs[output], self.state, np.asarray(x), **options)

    def encode(self, x: ArrayLike) -> np.ndarray:
        """Latents of examples. Shapes: [N, *shape] -> [N, ...]. Raises: InputError for other shapes and types."""
        self.need("encode")
        return self.apply("encode", self._checked(x))

    def reconstruct(self, x: ArrayLike, corrupt: bool = False) -> np.ndarray:
        """Reconstructions of examples, or with `corrupt` of examples that are corrupted as in training.

        Shapes: [N, *shape] -> the same. Raises: InputError for other shapes and types.
        """
        self.need("reconstruct", *(["corrupt"] if corrupt else []))
        return restored(self.task, self.state, self._checked(x), corrupt)[-1]

    def project(self, x: ArrayLike, space: str = "", steps: int = 300, seed: int = 0) -> projection.Projection:
        """The latents whose images are nearest to given images, by descent in z, w or w+ (default, or z without w).

        Shapes: uint8 [N, H, W, C] -> codes [N, ...] and images [N, H, W, C] of a `Projection`.
        Raises: InputError for other shapes and types, and for a space that the task does not have.
        """
        space = space or ("w+" if "map" in self.task.outputs else "z")
        if space not in projection.SPACES or not self.are_images or steps < 1:
            choices = ", ".join(projection.SPACES)
            raise InputError(f"space={space!r}, steps={steps}: expected {choices}, one step or more, and images")
        self.need(*projection.SPACES[space])
        with watch("projection", steps) as on_progress:
            return projection.project(self, self._checked(x), space, steps, seed, on_progress)

    def translate(self, x: ArrayLike, to: str | None = None) -> np.ndarray:
        """Translations of images of any size; of a run without pairs toward the set `to`, "b" (the default) or "a".

        Shapes: uint8 [N, H, W, inputs] -> uint8 [N, H, W, C].
        Raises: InputError for a run of another task, and for other shapes and types.
        """
        return translation.translate_images(self, x, to, str(self.workdir))

    def evaluate(self, metrics: str | Sequence[str] = "all", **choices: Any) -> list[Result]:
        """Results of metrics, each with its protocol: "all" that apply, or some by name. Nothing is written.

        `choices` are the fields of `genjax.evaluation.of_run.Choices`, as samples=1000, features="classifier:runs/c".
        Raises: InputError for unknown names, and for metrics that do not apply.
        """
        names = metrics if isinstance(metrics, str) else ",".join(metrics)
        chosen = registry.parse(names)
        if unknown := choices.keys() - set(Choices._fields):
            raise InputError(f"evaluate: no {min(unknown)!r}; choose from {', '.join(Choices._fields)}")
        context = context_of(self.workdir, self.task, self.state, chosen, Choices(**choices), watch)
        return evaluate(context, chosen, optional="all" in names.split(","))

    def draw(self, x: ArrayLike, columns: int | None = None) -> Image:
        """Examples as one image, which a notebook shows: a grid, a plot of points, or lines of series."""
        return gallery.draw(x, columns, vocabulary=self.config.get("vocabulary", 0))

    def _checked(self, x):
        """Examples of the run's form. Raises: InputError for others."""
        x = np.asarray(x)
        shape = tuple(self.info["data"]["shape"])
        kind = {0: np.float32, 8: np.uint8, 16: np.uint16}[self.bits]
        if x.shape[1:] != shape or not len(x) or (self.are_images and x.dtype != kind):
            form = ", ".join(map(str, shape))
            raise InputError(f"x is {x.dtype} {list(x.shape)}: expected {kind.__name__} [N, {form}], N of 1 or more")
        return x.astype(kind)
