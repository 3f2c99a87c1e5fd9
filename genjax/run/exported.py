"""An exported run: a folder with `model.safetensors` and `config.json`, which is read as a run's without Orbax.

A tensor's name is its path in the state (`genjax.engine.state.State`): "ema.generator.params.dense_0.kernel". Weights
"inference" are those that the task's outputs use with their default options, each net complete or absent; "all" is the
whole state, with the optimizers'.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from genjax.engine.outputs import input_like
from genjax.engine.phase import Task
from genjax.engine.state import Net, State, leaf_name
from genjax.errors import InputError
from genjax.weights import safetensors_file

FILE = "model.safetensors"

WEIGHTS = ("inference", "all")


@jax.tree_util.register_pytree_with_keys_class
class Parts(dict):
    """The nets of a state that a folder holds; another one is refused in a line where it is used."""

    def __missing__(self, name: str) -> Any:
        """Raises: InputError."""
        raise InputError(
            f"{name!r}: the exported folder holds {', '.join(self) or 'averaged weights'} alone: export the run with "
            "--nets=all, or leave the averaged weights on (--ema)"
        )

    def tree_flatten_with_keys(self):
        """Values by name, sorted, and the names, as of any dictionary."""
        names = tuple(sorted(self))
        return [(jax.tree_util.DictKey(name), self[name]) for name in names], names

    @classmethod
    def tree_unflatten(cls, names, values) -> "Parts":
        """The opposite of `tree_flatten_with_keys`."""
        return cls(zip(names, values, strict=True))


def example_like(info: Mapping[str, Any]) -> jax.ShapeDtypeStruct:
    """The shape and type of an example of a run, `info` being its config.json."""
    shape = tuple(info["data"]["shape"])
    pixels = np.uint16 if info["config"]["data"].get("bits") == 16 else np.uint8
    return jax.ShapeDtypeStruct(shape, pixels if len(shape) == 3 else np.float32)


def part(task: Task, like: State, example: jax.ShapeDtypeStruct, weights: str) -> State:
    """The part of a state that is exported. `like` has shapes and types, or arrays; so has the result.

    An output whose inputs are not known here, as of an extension, may need more: `weights` "all".
    """
    if weights == "all":
        return like
    used = _used(task, jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), like), example)
    nets = {name: Net(net.params, net.stats, ()) for name, net in like.nets.items() if ("nets", name) in used}
    ema = {name: variables for name, variables in like.ema.items() if ("ema", name) in used}
    extra = {name: array for name, array in like.extra.items() if ("extra", name) in used}
    return State(like.step, Parts(nets), ema, extra)


def _used(task: Task, like: State, example: jax.ShapeDtypeStruct) -> set[tuple[str, ...]]:
    """The first two steps of the paths of leaves that outputs use; nothing is computed."""
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(like)]
    used = set()
    for name, output in task.outputs.items():
        inputs = input_like(task.outputs, name, like, example)
        if inputs is None:
            continue
        jaxpr = jax.make_jaxpr(output)(like, inputs).jaxpr
        variables = {v for eqn in jaxpr.eqns for v in eqn.invars if not hasattr(v, "val")} | set(jaxpr.outvars)
        leaves = zip(paths, jaxpr.invars[: len(paths)], strict=True)
        used |= {tuple(leaf_name(path).split(".")[:2]) for path, variable in leaves if variable in variables}
    return used


def named(state: State) -> dict[str, Any]:
    """The leaves of a state by their names."""
    return {leaf_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state)}


def from_named(like: State, leaves: Mapping[str, Any]) -> State:
    """The state whose leaves have these names."""
    return jax.tree_util.tree_map_with_path(lambda path, _: leaves[leaf_name(path)], like)


def is_exported(path: os.PathLike) -> bool:
    """Whether a folder is an exported one."""
    return (Path(path) / FILE).is_file()


def refuse(path: os.PathLike) -> None:
    """Raises: InputError for an exported folder, in which nothing is trained."""
    if is_exported(path):
        raise InputError(f"{path} is an exported folder, which cannot be trained: choose another --workdir")


def write(folder: Path, state: State) -> str:
    """Write the arrays of a state to a folder; the file's SHA-256."""
    data = safetensors_file.encode({name: np.asarray(leaf) for name, leaf in named(state).items()})
    (folder / FILE).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read(path: os.PathLike, info: Mapping[str, Any], task: Task, like: State, step: int | str | None) -> State:
    """The state of an exported folder, `info` being its config.json. `like` has the whole state's shapes and shardings.

    Raises: InputError if the folder is of another step, its file is damaged, or it does not fit the task.
    """
    facts = info.get("export")
    if not isinstance(facts, dict) or facts.get("weights") not in WEIGHTS:
        raise InputError(f"{path}/config.json does not describe {FILE}: get the folder from its source again")
    if step not in (None, facts.get("step")):
        raise InputError(f"--step={step}: {path} holds the weights of step {facts.get('step')} alone: leave it out")
    file = Path(path) / FILE
    if hashlib.sha256(file.read_bytes()).hexdigest() != facts.get("sha256"):
        raise InputError(f"{file} is damaged: it is not what was exported; get it from its source again")
    tensors = safetensors_file.read(file)
    like = part(task, like, example_like(info), facts["weights"])
    expected = named(like)
    if different := tensors.keys() ^ expected.keys():
        name = min(different)
        has = "has a tensor more than its config describes" if name in tensors else "lacks a tensor of its config"
        raise InputError(f"{file} {has}: {name}{_and_more(different)}")
    for name, leaf in expected.items():
        got = tensors[name]
        if (got.shape, got.dtype) != (leaf.shape, leaf.dtype):
            raise InputError(
                f"{file}: {name} is {got.dtype} {list(got.shape)}, but its config describes {leaf.dtype} "
                f"{list(leaf.shape)}"
            )
    return from_named(like, {name: jax.device_put(tensors[name], leaf.sharding) for name, leaf in expected.items()})


def _and_more(names) -> str:
    return f" and {len(names) - 1:,} more" if len(names) > 1 else ""
