"""A run restored from its folder: its config, its task and the state of a checkpoint."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax import extensions, tasks
from genjax.config import check, unknown_keys
from genjax.data.source import Source
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.loop import abstract_state
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.run import exported, origin
from genjax.run.paths import located
from genjax.run.workdir import Workdir


def load_info(path: os.PathLike) -> dict[str, Any]:
    """The contents of a run's config.json. Raises: InputError if there is no run."""
    info = Workdir(path).read_info()
    if info is None:
        raise InputError(f"{path} is not a run's folder: it has no config.json (genjax.train makes one)")
    if not isinstance(info.get("data"), dict) or "shape" not in info["data"]:
        raise InputError(f"{path}/config.json is of no run: it lacks the shape of the data")
    return info


def saved_config(info: dict[str, Any]) -> ConfigDict:
    """The config of config.json, with tuples in place of JSON's lists, and files found from any working folder.

    Keys that the task did not have when the run began are at their defaults.
    """
    config = ConfigDict(_with_tuples(info["config"]))
    config.update_from_flattened_dict(located(config, info.get("folder")))
    return completed(config)


def completed(config: Mapping[str, Any]) -> ConfigDict:
    """A run's config with the keys that its task got later, at their defaults.

    Raises: InputError for a task that there is not.
    """
    config = ConfigDict(config)
    _complete(config, tasks.default_config(config.task))
    return config


def _with_tuples(tree: Any) -> Any:
    """The parts of a config with tuples in place of lists; a field that was once a list would stay one."""
    if isinstance(tree, dict):
        return {key: _with_tuples(value) for key, value in tree.items()}
    return tuple(_with_tuples(item) for item in tree) if isinstance(tree, list) else tree


def _complete(config: ConfigDict, template: ConfigDict) -> None:
    """Add the keys that a config lacks; a sub-config that names a net is left unchanged."""
    for key, value in template.items():
        if key not in config:
            config[key] = value
        elif isinstance(value, ConfigDict) and isinstance(config[key], ConfigDict) and "net" not in value:
            _complete(config[key], value)


def open_config(path: os.PathLike) -> tuple[dict[str, Any], ConfigDict]:
    """The config.json of a run, and its config.

    Raises: InputError if there is no run, or its config has keys that its task lacks, as one of another version.
    """
    info = load_info(path)
    with naming_origin(info):
        config = saved_config(info)
        if unknown := unknown_keys(config, tasks.default_config(config.task)):
            raise InputError(
                f"{path} has keys that the task {config.task!r} lacks: {', '.join(unknown)}; "
                "if they no longer matter, remove them from its config.json"
            )
        check(config, tasks.default_config(config.task))
    return info, config


def open_task(path: os.PathLike) -> tuple[dict[str, Any], ConfigDict, Task]:
    """The config.json of a run, its config and its task. Raises: InputError as `open_config`, or if they do not fit."""
    info, config = open_config(path)
    with naming_origin(info):
        return info, config, tasks.build(config, tuple(info["data"]["shape"]))


@contextlib.contextmanager
def naming_origin(info: dict[str, Any]) -> Iterator[None]:
    """Name the code that made a run in the message of an InputError, if it is not this code."""
    try:
        yield
    except InputError as error:
        raise InputError("\n".join([str(error), *origin.difference(info)])) from error


BEST = "best"
"""Stands for the step of a run's best checkpoint, by its config's eval.best."""


def restore(path: os.PathLike, step: int | str | None = None) -> tuple[Task, State]:
    """The task of a run and its state at a step (default: of the newest whole checkpoint), from its folder alone.

    The step BEST is that of the best checkpoint. The folder may be an exported one (`genjax.run.exported`).

    Raises: InputError if there is no run or no such checkpoint, or it is damaged.
    """
    info, config, task = open_task(path)
    if changed := changed_extensions(info, config):
        _warn(f"the code of {', '.join(changed)} has changed since {path} was trained")
    like = abstract_state(task, make_mesh())
    if exported.is_exported(path):
        return task, exported.read(path, info, task, like, step)
    checkpoints = Checkpoints(Path(path) / "checkpoints")
    if step == BEST:
        step = _best_step(path, checkpoints)
    if step is not None:
        if step not in (steps := checkpoints.steps()):
            raise InputError(f"{path} has no checkpoint of step {step}; it has {', '.join(map(str, steps)) or 'none'}")
        return task, checkpoints.restore(step, like)
    newest = checkpoints.newest()
    if newest.step is None:
        raise InputError("\n  ".join([f"{path} has no whole checkpoint", *newest.damaged]))
    for damaged in newest.damaged:
        _warn(f"{damaged}; the one before it is used")
    with naming_origin(info):
        return task, checkpoints.read(newest.step, like)


def _best_step(path: os.PathLike, checkpoints: Checkpoints) -> int:
    """The step of the best checkpoint. Raises: InputError if the run has recorded none."""
    best = checkpoints.newest().metadata.get("best")
    if not best:
        raise InputError(f"{path} has no best checkpoint: eval.best and eval.every keep one while a run is trained")
    return best["step"]


def check_own_data(info: dict[str, Any], source: Source) -> None:
    """Warn if a source of the split that a run was trained on has another fingerprint now."""
    if source.split == info["data"]["split"] and source.fingerprint != info["data"]["fingerprint"]:
        _warn(f"{source.name} {source.split}: the data, or the code that reads them, have changed since training")


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
