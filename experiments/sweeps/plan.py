"""The runs of an experiment, all checked before the first begins."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ml_collections import ConfigDict

from experiments.sweeps.experiment import Axis, Experiment
from genjax import config_files
from genjax.config import differences, flat, override
from genjax.errors import InputError, did_you_mean
from genjax.evaluation.schedule import EvalSchedule
from genjax.run.restore import saved_config
from genjax.run.training import prepare
from genjax.run.workdir import Workdir


@dataclass(frozen=True)
class Run:
    """One variant with one seed."""

    variant: str
    seed: int
    x: float | None  # its position on the figure's axis
    config: ConfigDict
    steps: int
    path: Path
    others: tuple["Run", ...] = ()  # that train in one program with it: the other seeds of its variant

    @property
    def members(self) -> tuple["Run", ...]:
        """The runs of its program."""
        return (replace(self, others=()), *self.others)

    @property
    def title(self) -> str:
        """The run in status lines."""
        seeds = [str(run.seed) for run in (self, *self.others)]
        return f"{self.variant}, seed{'s' if self.others else ''} {', '.join(seeds)}"


def programs(experiment: Experiment, runs: Sequence[Run]) -> list[Run]:
    """The runs to submit: all, or the first seed of each variant with its others, if seeds train together."""
    if not experiment.together:
        return list(runs)
    by_variant: dict[str, list[Run]] = {}
    for run in runs:
        by_variant.setdefault(run.variant, []).append(run)
    return [replace(first, others=tuple(others)) for first, *others in by_variant.values()]


def plan(experiment: Experiment, folder: Path) -> list[Run]:
    """All runs, seed by seed; their folders are in `folder`.

    Raises: InputError, before anything is compiled, for a variant that cannot be trained, two equal variants, and a
    folder that holds a run of another config.
    """
    configs = {title: _checked(experiment, title) for title in experiment.variants}
    _refuse_equal({title: config for title, (config, _) in configs.items()})
    xs = {title: _x(experiment.axis, title, config) for title, (config, _) in configs.items()}
    _refuse_equal({title: ConfigDict({"x": x}) for title, x in xs.items() if x is not None}, "lie at the same X")
    runs = []
    for seed in experiment.seeds:
        for title, (config, steps) in configs.items():
            config = ConfigDict(config)
            config.seed = seed
            keys = [*experiment.overrides, *experiment.variants[title]]
            path = _folder(folder, title, seed, identity(experiment.base, config, keys))
            runs.append(Run(title, seed, xs[title], config, steps, path))
    for run in runs:
        _refuse_another(run)
    return runs


def identity(base: str, config: ConfigDict, keys: Sequence[str]) -> str:
    """Ten hex digits of a base, the values of the overridden keys in `config`, and its seed.

    They do not depend on the order of the keys or the form of a value (1 or 1.0, a list or a tuple).
    """
    values = {
        name: value
        for name, value in flat(config).items()
        if any(name == key or name.startswith(f"{key}.") for key in keys)
    }
    text = json.dumps({"base": base, "overrides": values, "seed": config.seed}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _checked(experiment: Experiment, title: str) -> tuple[ConfigDict, int]:
    """The config and the number of steps of a variant."""
    try:
        config = config_files.load(experiment.base)
        override(config, dict(experiment.overrides) | dict(experiment.variants[title]))
        source, task, _ = prepare(config)
        if experiment.together and len(experiment.seeds) < 2:
            raise InputError("TOGETHER needs two seeds or more")
        if config.eval.patience:
            raise InputError("eval.patience would stop runs at different steps: runs of a sweep take all their steps")
        if experiment.evaluated and not config.eval.every:
            config.eval.every = task.steps
            EvalSchedule(config, source, task)
    except InputError as error:
        raise InputError(f"variant {title!r}: {error}") from error
    return config, task.steps


def _refuse_equal(configs: Mapping[str, ConfigDict], claim: str = "have the same config") -> None:
    titles: dict[str, str] = {}
    for title, config in configs.items():
        first = titles.setdefault(json.dumps(flat(config), sort_keys=True), title)
        if first != title:
            raise InputError(f"the variants {first!r} and {title!r} {claim}: leave one out")


def _x(axis: Axis | None, title: str, config: ConfigDict) -> float | None:
    if axis is None:
        return None
    known = flat(config)
    value = known.get(axis.key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        fault = f"is {value!r}, no number" if axis.key in known else f"is no key{did_you_mean(axis.key, known)}"
        raise InputError(f"X: {axis.key!r} {fault} in the config of variant {title!r}")
    if axis.log and value < 0:
        raise InputError(f"X: {axis.key}={value} of variant {title!r}: a logarithmic axis has no negative values")
    return float(value)


def _folder(folder: Path, title: str, seed: int, name: str) -> Path:
    """The folder of a run; a run whose title has changed keeps its folder."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower().replace(",", "")
    slug = re.sub("[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "variant"
    return next(folder.glob(f"*-{name}"), folder / f"{slug}-seed-{seed}-{name}")


def _refuse_another(run: Run) -> None:
    old = Workdir(run.path).read_info()
    if old is None:
        return
    if changes := list(differences(saved_config(old), run.config)):
        raise InputError(
            f"{run.path} holds a run of another config:\n  "
            + "\n  ".join(changes)
            + "\ntake another --workdir, or move that folder away"
        )
