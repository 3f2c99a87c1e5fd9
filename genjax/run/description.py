"""Descriptions of a run: what config.json records of it, and what a dry run reports."""

import platform
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax import __version__, extensions
from genjax.config import flat
from genjax.data.mirrored import trained_on
from genjax.data.source import Source
from genjax.engine.cost import Cost, cost
from genjax.engine.loop import shapes
from genjax.engine.phase import Phase, Task, scheduled_phases
from genjax.engine.state import State, key_like
from genjax.ops.cpu import onednn
from genjax.run import origin
from genjax.text import bytes_text, table

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def run_info(config: ConfigDict, source: Source, task: Task) -> dict[str, Any]:
    """The contents of config.json."""
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
            "form": source.form,
            "fingerprint": source.fingerprint,
        },
        "notes": list(source.notes),
        "skipped": list(source.skipped),
        "files": dict(task.files()),
        "parameters": {name: sum(leaf.size for leaf in jax.tree.leaves(net.params)) for name, net in nets.items()},
        "extensions": extensions.digests(config),
        "versions": _versions(),
        "device": {"platform": device.platform, "kind": device.device_kind, "count": jax.device_count()},
        "git": origin.git(),
        "folder": origin.folder(),
        "command": command(),
    }


def _versions() -> dict[str, str]:
    """The versions of Python, genjax (which need not be installed) and the packages that results depend on."""
    own = {"python": platform.python_version(), "genjax-models": __version__}
    packages = (*PACKAGES, "genjax-onednn") if onednn.used() else PACKAGES
    return own | {name: metadata.version(name) for name in packages}


def command() -> str:
    """The command line of this process, quoted for a shell."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    program = ["python", "-m", spec.name.removesuffix(".__main__")] if spec else [Path(sys.argv[0]).name]
    return shlex.join([*program, *sys.argv[1:]])


def dry_run_report(config: ConfigDict, source: Source, task: Task) -> str:
    """The config, data, parameters, phases, costs and memory of a run, as text; nothing is compiled."""
    like = shapes(task)
    return "\n\n".join(
        [
            "\n".join(f"{key} = {value!r}" for key, value in flat(config).items()),
            f"{source.name} {source.split}: {source.size:,} examples of shape {list(source.shape)}, "
            f"fingerprint {source.fingerprint[:16]}" + "".join(f"\nnote: {note}" for note in source.notes),
            table(_parameters(like), ("parameter", "shape", "size")),
            *_phases(task, like, source),
            table(_memory(config, like, source), ("memory", "size")),
        ]
    )


def _parameters(like: State) -> list[tuple]:
    """Rows: each array of each net, and their sum."""
    rows = []
    for name, net in like.nets.items():
        leaves = jax.tree_util.tree_leaves_with_path(net.params)
        rows += [("/".join([name, *(p.key for p in path)]), "x".join(map(str, a.shape)), a.size) for path, a in leaves]
        rows.append((f"{name}, all", "", sum(a.size for _, a in leaves)))
    return rows


def _phases(task: Task, like: State, source: Source) -> tuple[str, str]:
    """A table of the phases, and one of what a step of each costs."""
    phases = []
    costs = []
    for scheduled in scheduled_phases(task):
        phase = scheduled.phase
        images = phase.batch * phase.batches_per_step
        step = step_cost(phase, like, source)
        steps = f"{scheduled.start:,} to {scheduled.stop:,}"
        phases.append((phase.name, steps, phase.batch, phase.batches_per_step, phase.steps * images))
        flops = [f"{n / 1e9:,.4g}" for n in (step.flops, step.mean_flops, step.mean_flops / images)]
        costs.append((phase.name, *flops, bytes_text(step.peak), bytes_text(step.peak // images)))
    headers = ("step of", "GFLOP at most", "in the mean", "per example", "memory beyond the state", "per example")
    return table(phases, ("phase", "steps", "batch", "batches per step", "examples")), table(costs, headers)


def _memory(config: ConfigDict, like: State, source: Source) -> list[tuple[str, str]]:
    """Rows: the parts of the state, and the data."""
    sizes = {
        f"{name}: {part}": getattr(net, part) for name, net in like.nets.items() for part in ("params", "stats", "opt")
    }
    sizes |= {"averages": like.ema, "other": (like.extra, like.step), "state, on each device": like}
    nbytes = trained_on(config.data, source).nbytes
    place = "on each device" if nbytes <= config.data.resident_gib * 2**30 else "streamed"
    if place == "streamed" and config.data.workers:
        place += f", read by {config.data.workers} " + ("process" if config.data.workers == 1 else "processes")
    rows = [(name, bytes_text(_nbytes(tree))) for name, tree in sizes.items()]
    return [*rows, (f"data, {place}", bytes_text(nbytes))]


def step_cost(phase: Phase, like: State, source: Source) -> Cost:
    """The cost of one step, as written; see `genjax.engine.cost`."""
    return cost(phase.prepared_step, *step_inputs(phase, like, source))


def step_inputs(phase: Phase, like: State, source: Source) -> tuple[Any, ...]:
    """The inputs of a step as shapes and types: the state, a batch and a key."""
    lead = (phase.batches_per_step, phase.batch)
    batch = {"x": jax.ShapeDtypeStruct((*lead, *source.shape), source.dtype)}
    if source.labels is not None:
        batch["label"] = jax.ShapeDtypeStruct(lead, np.int32)
    return like, batch, key_like()


def _nbytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
