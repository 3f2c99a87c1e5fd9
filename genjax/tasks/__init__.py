"""What is trained: nets x losses -> Task. `build` finds a config's task by its name."""

from importlib import import_module
from types import ModuleType

from ml_collections import ConfigDict

from genjax.config import pick
from genjax.engine.phase import Task

NAMES = (
    "adain",
    "autoencoder",
    "classifier",
    "gan",
    "greedy",
    "msggan",
    "pretrained_classifier",
    "progressive",
    "style",
    "stylegan2",
    "vae",
    "vqvae",
)
"""Each a module here with `config` and `build`, imported when it is asked for."""


def build(config: ConfigDict, shape: tuple[int, ...]) -> Task:
    """The task that a config describes, for examples of one shape. Raises: InputError if they do not fit."""
    return _module(config.task).build(config, shape)


def default_config(name: str) -> ConfigDict:
    """A task's config with every key and its default. Raises: InputError for an unknown task."""
    return _module(name).config()


def _module(name: str) -> ModuleType:
    return import_module(f"genjax.tasks.{pick({name: name for name in NAMES}, name, 'task')}")
