"""A run seen from outside: what made it, and its task and state back from its folder."""

import hashlib
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax import tasks
from genjax.config import flat
from genjax.data.source import Source
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.cost import Cost, cost
from genjax.engine.loop import abstract_state, shapes
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, Task, spans
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.files import cache_folder
from genjax.report.console import bytes_text, table
from genjax.run.workdir import Workdir

PACKAGES = ("genjax-models", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def enable_compilation_cache() -> None:
    """Keep compiled programs between processes, in JAX_COMPILATION_CACHE_DIR or the user's cache folder."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder("xla")))
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def describe(config: ConfigDict, source: Source, task: Task) -> dict[str, Any]:
    """All that config.json says of a run."""
    device = jax.devices()[0]
    nets = shapes(task).nets
    return {
        "config": config.to_dict(),
        "data": {
            "name": source.name,
            "split": source.split,
            "size": source.size,
            "shape": list(source.shape),
            "labels": list(source.label_names),
            "fingerprint": source.fingerprint,
        },
        "parameters": {name: sum(leaf.size for leaf in jax.tree.leaves(net.params)) for name, net in nets.items()},
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "device": {"platform": device.platform, "kind": device.device_kind, "count": jax.device_count()},
        "git": _git(),
        "command": _command(),
    }


def _git() -> dict[str, Any] | None:
    def ask(*args):
        here = Path(__file__).parent
        return subprocess.run(["git", "-C", here, *args], capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def _command() -> str:
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    program = f"python -m {spec.name}" if spec else Path(sys.argv[0]).name
    return " ".join([program, *sys.argv[1:]])


def config_of(about: dict[str, Any]) -> ConfigDict:
    """The config that config.json holds; JSON's lists are the tuples that they were.

    Keys that its task has got since are at their defaults.
    """
    config = ConfigDict(about["config"])
    for key, value in flat(config).items():
        if isinstance(value, list):
            config.update_from_flattened_dict({key: tuple(value)})
    _complete(config, tasks.config_of(config.task))
    return config


def _complete(config: ConfigDict, template: ConfigDict) -> None:
    """Add the keys that a config lacks; what names a net has the fields that it was given."""
    for key, value in template.items():
        if key not in config:
            config[key] = value
        elif isinstance(value, ConfigDict) and "net" not in value:
            _complete(config[key], value)


def about(path: os.PathLike) -> dict[str, Any]:
    """What config.json says of a run. Raises: InputError if there is no run."""
    found = Workdir(path).about()
    if found is None:
        raise InputError(f"{path} is not a run's folder: it has no config.json (genjax.train makes one)")
    return found


def restore(path: os.PathLike, step: int | None = None) -> tuple[Task, State]:
    """The task and the state of a run from its folder alone; the newest whole checkpoint, or a step's.

    Raises: InputError if there is no run, no such checkpoint, or it is damaged.
    """
    what = about(path)
    task = tasks.build(config_of(what), tuple(what["data"]["shape"]))
    checkpoints = Checkpoints(Path(path) / "checkpoints")
    like = abstract_state(task, make_mesh())
    steps = checkpoints.steps()
    if step is not None:
        if step not in steps:
            raise InputError(f"{path} has no checkpoint of step {step}; it has {', '.join(map(str, steps)) or 'none'}")
        return task, checkpoints.restore(step, like)
    found = checkpoints.latest(like, warn=lambda text: print(f"warning: {text}", file=sys.stderr))
    if found is None:
        raise InputError(f"{path} has no whole checkpoint yet")
    return task, found[0]


def fingerprint(state: State) -> str:
    """sha256 over the weights, statistics and averages of a state."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(({name: net.variables for name, net in state.nets.items()}, state.ema, state.extra)):
        digest.update(np.ascontiguousarray(leaf))
    return digest.hexdigest()


def plan(config: ConfigDict, source: Source, task: Task) -> str:
    """What a run would be: its config, data, parameters, phases and the memory of its state."""
    like = shapes(task)
    rows, sizes = [], []
    for name, net in like.nets.items():
        leaves = jax.tree_util.tree_leaves_with_path(net.params)
        rows += [("/".join([name, *(p.key for p in path)]), "x".join(map(str, a.shape)), a.size) for path, a in leaves]
        rows.append((f"{name}, all", "", sum(a.size for _, a in leaves)))
        sizes += [(f"{name}: {part}", bytes_text(_nbytes(getattr(net, part)))) for part in ("params", "stats", "opt")]
    sizes += [("averages", bytes_text(_nbytes(like.ema))), ("other", bytes_text(_nbytes((like.extra, like.step))))]
    sizes.append(("state, on each device", bytes_text(_nbytes(like))))
    home = "on each device" if source.nbytes <= config.data.resident_gib * 2**30 else "streamed"
    sizes.append((f"data, {home}", bytes_text(source.nbytes)))
    phases, costs = [], []
    for span in spans(task):
        name, images, found = span.phase.name, span.phase.batch * span.phase.reals, _cost(span.phase, like, source)
        steps = f"{span.start:,} to {span.stop:,}"
        phases.append((name, steps, span.phase.batch, span.phase.reals, span.phase.steps * images))
        each = f"{found.flops / images / 1e9:,.4g}", bytes_text(found.peak // images)
        costs.append((name, f"{found.flops / 1e9:,.4g}", bytes_text(found.peak), *each))
    return "\n\n".join(
        [
            "\n".join(f"{key} = {value!r}" for key, value in flat(config).items()),
            f"{source.name} {source.split}: {source.size:,} examples of shape {list(source.shape)}, "
            f"fingerprint {source.fingerprint[:16]}",
            table(rows, ("parameter", "shape", "size")),
            table(phases, ("phase", "steps", "batch", "reals", "images")),
            table(costs, ("a step of", "GFLOP", "memory beyond the state", "GFLOP a real", "memory a real")),
            table(sizes, ("memory", "size")),
        ]
    )


def _cost(phase: Phase, like: State, source: Source) -> Cost:
    """Of one step, as it is written; see `genjax.engine.cost`."""
    batch = {"x": jax.ShapeDtypeStruct((phase.reals, phase.batch, *source.shape), source.dtype)}
    if source.labels is not None:
        batch["label"] = jax.ShapeDtypeStruct((phase.reals, phase.batch), np.int32)
    return cost(phase.alone, like, batch, jax.eval_shape(lambda: jax.random.key(0)))


def _nbytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
