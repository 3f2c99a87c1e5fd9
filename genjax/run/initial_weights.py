"""Weights of another run, or of a file, as the first weights of a run (`init.weights`): arrays of equal name and shape.

An array is named as `--dry_run` lists it: its net, its modules and itself, as "critic/Block_0/Conv_0/kernel"; one of
averaged weights begins with "ema/".
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax.engine.state import State, local
from genjax.errors import InputError, did_you_mean
from genjax.run.records import terms_of_weights
from genjax.run.restore import load_info, restore
from genjax.text import listed, split_list
from genjax.weights import safetensors_file

EMA = "ema/"

FROM_IMAGE = re.compile(r"(?<=/Block_)(\d+)(?=/)")
"""The numbers of modules that count from the image on: of two nets of unequal depth the last ones belong together."""


@dataclass(frozen=True)
class InitialWeights:
    """Arrays that take the place of those of a state at step 0, and what is to be said of them."""

    arrays: Mapping[str, np.ndarray]
    lines: tuple[str, ...]  # what was taken of each net, and what was not
    record: Mapping[str, Any]  # of config.json

    def into(self, state: State) -> State:
        """The state with these arrays, placed as its own are."""

        def replaced(name, leaf):
            array = self.arrays.get(name)
            return leaf if array is None else _placed(array.astype(leaf.dtype), leaf.sharding)

        return _map_named(replaced, state)


def find(c: ConfigDict, like: State) -> InitialWeights | None:
    """The arrays that a config's `init` names and a state of these shapes can have; None if it names none.

    A net without averaged weights at the source gets its plain ones as averages, and the other way round.
    Raises: InputError if there is no such run or file, or nothing of it fits.
    """
    c = c.init
    if not c.weights:
        if c.step or c.only:
            raise InputError(f"init.step={c.step!r}, init.only={c.only!r}: these need init.weights")
        return None
    source, origin = _read(c.weights, c.step)
    targets = _targets(like, c.only)
    shifts = _shifts(_named(like), source)
    taken, others = {}, []
    for name, leaf in targets.items():
        array = _counterpart(source, _shifted(name, shifts))
        if array is None:
            others.append(f"{name}: not there")
        elif array.shape != leaf.shape:
            others.append(f"{name}: {list(array.shape)} there, {list(leaf.shape)} here")
        else:
            taken[name] = array
    if not taken:
        raise InputError(
            f"init.weights={c.weights}: none of its {len(source):,} arrays fits the {len(targets):,} of this config: "
            f"{listed(others)}; it has {listed(list(source))}"
        )
    digest = hashlib.sha256(b"".join(taken[name].tobytes() for name in sorted(taken))).hexdigest()
    counts = {net: [sum(_net(n) == net for n in names) for names in (taken, targets)] for net in map(_net, targets)}
    text = ", ".join(f"{got} of {of} arrays of {net}" for net, (got, of) in counts.items())
    lines = [f"init.weights={c.weights}{origin}: took {text}"]
    lines += [f"at their usual first values: {listed(others, 5)}"] if others else []
    record = {"sha256": digest, "arrays": counts, "left": others}
    if Path(c.weights).is_dir() and (terms := terms_of_weights(load_info(c.weights))):
        lines.append(f"license of {c.weights}: {terms}")
        record["license"] = terms
    return InitialWeights(taken, tuple(lines), record)


def _read(weights: str, step: str) -> tuple[dict[str, np.ndarray], str]:
    """The arrays of a run's folder or of a safetensors file by name, and the step in words."""
    if Path(weights).is_dir():
        state = local(restore(weights, int(step) if step.isdecimal() else step or None)[1])
        arrays = {name: np.asarray(leaf) for name, leaf in _named(state).items()}
        return arrays, f", step {int(state.step):,}"
    if step:
        raise InputError(f"init.step={step} with init.weights={weights}: a step is of a run's folder")
    try:
        arrays = safetensors_file.read(weights)
    except InputError as error:
        hint = "; genjax.convert makes a run of weights in other formats" if Path(weights).is_file() else ""
        raise InputError(f"init.weights: {error}{hint}") from error
    return {name.replace(".", "/"): array for name, array in arrays.items()}, ""


def _targets(like: State, only: str) -> dict[str, Any]:
    """The arrays of a state to look for: all, or those below the names in `only`. Raises: InputError."""
    named = _named(like)
    if not only:
        return named
    selected = {}
    for part in split_list(only):
        below = {name: leaf for name, leaf in named.items() if f"{name.removeprefix(EMA)}/".startswith(f"{part}/")}
        if not below:
            names = {"/".join(name.split("/")[:depth]) for name in named for depth in (1, 2)} - {"ema"}
            hint = did_you_mean(part, names) or f"; its nets are {', '.join(like.nets)}"
            raise InputError(f"init.only: no array of this config is below {part!r}{hint}")
        selected |= below
    return selected


def _counterpart(source: Mapping[str, np.ndarray], name: str) -> np.ndarray | None:
    """The array of a name; without one, the plain array for an averaged one, and the other way round."""
    other = name.removeprefix(EMA) if name.startswith(EMA) else EMA + name
    return source.get(name, source.get(other))


def _net(name: str) -> str:
    """The net of an array, with "ema/" before it for averaged weights."""
    return re.match(f"({EMA})?[^/]+", name)[0]


def _shifts(here: Iterable[str], there: Iterable[str]) -> dict[str, int]:
    """By net, how many more modules that count from the image there are at the source than here."""
    depths = [{}, {}]
    for names, depth in zip((here, there), depths, strict=True):
        for name in names:
            if number := FROM_IMAGE.search(name):
                net = _net(name).removeprefix(EMA)
                depth[net] = max(depth.get(net, 0), int(number[0]))
    return {net: depths[1][net] - depth for net, depth in depths[0].items() if net in depths[1]}


def _shifted(name: str, shifts: Mapping[str, int]) -> str:
    """The name at the source of an array, whose number may count from the image."""
    shift = shifts.get(_net(name).removeprefix(EMA), 0)
    return FROM_IMAGE.sub(lambda number: str(int(number[0]) + shift), name)


def _named(state: State) -> dict[str, Any]:
    """The weights and statistics of a state, and their averages, by name."""
    arrays = {}
    _map_named(lambda name, leaf: arrays.setdefault(name, leaf), state)
    return arrays


def _map_named(function, state: State) -> State:
    """A state with function(name, leaf) in place of each weight, statistic and average."""

    def named(prefix, tree):
        return jax.tree_util.tree_map_with_path(
            lambda path, leaf: function("/".join([prefix, *(key.key for key in path)]), leaf), tree
        )

    nets = {
        name: net.replace(params=named(name, net.params), stats=named(name, net.stats))
        for name, net in state.nets.items()
    }
    ema = {
        name: {
            kind: named(f"{EMA}{name}" if kind == "params" else f"{EMA}{name}/{kind}", tree)
            for kind, tree in variables.items()
        }
        for name, variables in state.ema.items()
    }
    return state.replace(nets=nets, ema=ema)


def _placed(array: np.ndarray, sharding) -> jax.Array:
    """An array on the devices of a sharding, of any number of processes."""
    return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])
