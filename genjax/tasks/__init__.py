"""Tasks: nets x losses -> `genjax.engine.phase.Task`. `build` finds a config's task by its name.

A task is an object with `config()`, every key with its default, and `build(config, shape)`, a
task for examples of one shape: a module here, or "package.module:name".
"""

from importlib import import_module
from typing import Any

from ml_collections import ConfigDict

from genjax.engine.phase import Task
from genjax.engine.precision import multiplying_in
from genjax.errors import InputError
from genjax.extensions import find
from genjax.text import summary

NAMES = (
    "adain",
    "autoencoder",
    "classifier",
    "gan",
    "greedy",
    "msggan",
    "pretrained_classifier",
    "progressive",
    "seqgan",
    "style",
    "stylegan2",
    "timegan",
    "translation",
    "unpaired",
    "vae",
    "vqvae",
)
"""The modules here, imported when they are asked for."""


def build(config: ConfigDict, shape: tuple[int, ...]) -> Task:
    """The task that a config describes, for examples of one shape. Raises: InputError if they do not fit."""
    return multiplying_in(config.precision, _find(config.task).build(config, shape))


def default_config(name: str) -> ConfigDict:
    """A task's config with every key and its default. Raises: InputError for an unknown task."""
    return _find(name).config()


def claim(name: str) -> str:
    """A task in a sentence: the first line of its documentation."""
    return summary(_find(name).__doc__)


def _find(name: str) -> Any:
    task = find({name: name for name in NAMES}, name, "task", _check)
    return import_module(f"genjax.tasks.{name}") if isinstance(task, str) else task


def _check(task: Any) -> None:
    """Raises: InputError for an object that is no task."""
    for method in ("config", "build"):
        if not callable(getattr(task, method, None)):
            raise InputError(f"expected an object with config() and build(config, shape), but {task!r} has no {method}")
