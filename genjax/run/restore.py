"""A run restored from its folder: its config, its task and the state of a checkpoint."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax import extensions, tasks
from genjax.config import flat
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.loop import abstract_state
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.run.workdir import Workdir


def load_info(path: os.PathLike) -> dict[str, Any]:
    """The contents of a run's config.json. Raises: InputError if there is no run."""
    info = Workdir(path).read_info()
    if info is None:
        raise InputError(f"{path} is not a run's folder: it has no config.json (genjax.train makes one)")
    return info


def saved_config(info: dict[str, Any]) -> ConfigDict:
    """The config of config.json, with tuples in place of JSON's lists.

    Keys that the task did not have when the run began are at their defaults.
    """
    config = ConfigDict(info["config"])
    for key, value in flat(config).items():
        if isinstance(value, list):
            config.update_from_flattened_dict({key: tuple(value)})
    _complete(config, tasks.default_config(config.task))
    return config


def _complete(config: ConfigDict, template: ConfigDict) -> None:
    """Add the keys that a config lacks; a sub-config that names a net is left unchanged."""
    for key, value in template.items():
        if key not in config:
            config[key] = value
        elif isinstance(value, ConfigDict) and "net" not in value:
            _complete(config[key], value)


def restore(path: os.PathLike, step: int | None = None) -> tuple[Task, State]:
    """The task of a run and its state at a step (default: of the newest whole checkpoint), from its folder alone.

    Raises: InputError if there is no run or no such checkpoint, or it is damaged.
    """
    info = load_info(path)
    config = saved_config(info)
    task = tasks.build(config, tuple(info["data"]["shape"]))
    if changed := changed_extensions(info, config):
        _warn(f"the code of {', '.join(changed)} has changed since {path} was trained")
    checkpoints = Checkpoints(Path(path) / "checkpoints")
    like = abstract_state(task, make_mesh())
    steps = checkpoints.steps()
    if step is not None:
        if step not in steps:
            raise InputError(f"{path} has no checkpoint of step {step}; it has {', '.join(map(str, steps)) or 'none'}")
        return task, checkpoints.restore(step, like)
    newest = checkpoints.latest(like, warn=_warn)
    if newest is None:
        raise InputError(f"{path} has no whole checkpoint yet")
    state, _ = newest
    return task, state


def changed_extensions(info: dict[str, Any], config: ConfigDict) -> list[str]:
    """The imported extensions whose source differs from the one that a run's config.json records."""
    digests = extensions.digests(config)
    return [name for name, digest in info.get("extensions", {}).items() if digests.get(name, digest) != digest]


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def weights_sha256(state: State) -> str:
    """The SHA-256 of the weights, statistics, averages and extras of a state."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(({name: net.variables for name, net in state.nets.items()}, state.ema, state.extra)):
        digest.update(np.ascontiguousarray(leaf))
    return digest.hexdigest()
