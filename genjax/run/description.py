"""Descriptions of a run: what config.json records of it, and what a dry run reports."""

import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax import __version__, extensions
from genjax.config import flat
from genjax.data.source import Source
from genjax.engine.cost import Cost, cost
from genjax.engine.loop import shapes
from genjax.engine.phase import Phase, Task, scheduled_phases
from genjax.engine.state import State
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
            "fingerprint": source.fingerprint,
        },
        "parameters": {name: sum(leaf.size for leaf in jax.tree.leaves(net.params)) for name, net in nets.items()},
        "extensions": extensions.digests(config),
        "versions": _versions(),
        "device": {"platform": device.platform, "kind": device.device_kind, "count": jax.device_count()},
        "git": _git(),
        "command": _command(),
    }


def _versions() -> dict[str, str]:
    """The versions of Python, genjax (which need not be installed) and the packages that results depend on."""
    own = {"python": platform.python_version(), "genjax-models": __version__}
    return own | {name: metadata.version(name) for name in PACKAGES}


def _git() -> dict[str, Any] | None:
    def ask(*args):
        here = Path(__file__).parent
        return subprocess.run(["git", "-C", here, *args], capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def _command() -> str:
    """The command line of this process, quoted for a shell."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    program = ["python", "-m", spec.name] if spec else [Path(sys.argv[0]).name]
    return shlex.join([*program, *sys.argv[1:]])


def dry_run_report(config: ConfigDict, source: Source, task: Task) -> str:
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
    for span in scheduled_phases(task):
        name, images, found = (
            span.phase.name,
            span.phase.batch * span.phase.batches_per_step,
            _cost(span.phase, like, source),
        )
        steps = f"{span.start:,} to {span.stop:,}"
        phases.append((name, steps, span.phase.batch, span.phase.batches_per_step, span.phase.steps * images))
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
    batch = {"x": jax.ShapeDtypeStruct((phase.batches_per_step, phase.batch, *source.shape), source.dtype)}
    if source.labels is not None:
        batch["label"] = jax.ShapeDtypeStruct((phase.batches_per_step, phase.batch), np.int32)
    return cost(phase.prepared_step, like, batch, jax.eval_shape(lambda: jax.random.key(0)))


def _nbytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
