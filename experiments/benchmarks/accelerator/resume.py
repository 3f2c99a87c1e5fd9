"""Whether a run that was saved, ended and resumed in another process has the bits of one that was not stopped."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.benchmarks.accelerator.parts import Context
from experiments.scaling.drift import distances
from genjax import data, tasks
from genjax.api import load_config
from genjax.engine import loop
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.mesh import make_mesh
from genjax.engine.state import leaf_name
from genjax.errors import InputError
from genjax.run.fit import fit


def uninterrupted(context: Context, config: str, steps: int, must: bool = True) -> Iterator[dict[str, Any]]:
    """Train to the end, with a checkpoint on half of the way. It has no rows of its own."""
    task, source, mesh, checkpoints = _opened(context, config, steps)
    for result in fit(task, source, 0, (steps // 2,), mesh=mesh):
        if result.step == steps // 2:
            checkpoints.save(result.state, {})
    np.savez(_last(context), **_arrays(result.state))
    yield from ()


def resumed(context: Context, config: str, steps: int, must: bool = True) -> Iterator[dict[str, Any]]:
    """Train from the checkpoint to the end, and compare the last states. `must`: whether equal bits are expected."""
    task, source, mesh, checkpoints = _opened(context, config, steps)
    state = checkpoints.restore(steps // 2, loop.abstract_state(task, mesh))
    *_, result = fit(task, source, 0, (steps // 2,), mesh=mesh, state=state)
    with np.load(_last(context), allow_pickle=False) as file:
        expected = dict(file)
    title = f"{config}: {steps} steps, and {steps // 2} + {steps - steps // 2} in two processes"
    yield compared(title, _arrays(result.state), expected, must)


def compared(
    title: str, arrays: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], must: bool
) -> dict[str, Any]:
    """The row of two states: the arrays that differ in a bit, and the largest distance of one."""
    different = [name for name, x in arrays.items() if x.tobytes() != expected[name].tobytes()]
    floats = [name for name in arrays if np.issubdtype(arrays[name].dtype, np.floating)]
    largest = max(distances({n: arrays[n] for n in floats}, {n: expected[n] for n in floats}).values())
    count = len(arrays)
    return {
        "check": title,
        "measured": f"{len(different)} of {count} arrays differ" if different else f"all {count} arrays equal",
        "distance": largest,
        "tolerance": 0.0 if must else None,
        "passed": not different if must else None,
        "different": different,
    }


def _opened(context: Context, config: str, steps: int):
    """The task, its data, the mesh and the checkpoints. Programs are not kept, so that both processes compile them."""
    try:
        import orbax.checkpoint  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"checkpoints need Orbax, which is not installed: pip install orbax-checkpoint ({error})"
        ) from error
    config = load_config(config, steps=steps)
    source = data.load(config.data)
    folder = context.scratch / "checkpoints"
    mesh = make_mesh(jax.devices()[:1])
    return tasks.build(config, source.shape), source, mesh, Checkpoints(folder)


def _last(context: Context) -> Path:
    return context.scratch / "last.npz"


def _arrays(state: Any) -> dict[str, np.ndarray]:
    """The state's arrays by name."""
    leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(state))
    return {leaf_name(path): np.asarray(leaf) for path, leaf in leaves}
