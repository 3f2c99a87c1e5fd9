"""An experiment's file, read and checked: its variants, seeds and reported numbers."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from experiments.sweeps.needs import Needs, parse, parse_slurm
from genjax.config_files import fault, load_module
from genjax.errors import InputError
from genjax.evaluation import registry
from genjax.text import summary

REQUIRED = ("BASE", "SEEDS", "REPORT", "variants")
OPTIONAL = ("OVERRIDES", "EVALUATE", "X", "NEEDS", "SLURM", "TOGETHER")


class Reported(NamedTuple):
    """A number that every finished run has."""

    name: str  # as in an evaluation or a training row of metrics.jsonl
    title: str  # in the table
    better: str | None = None  # "lower" or "higher", for a number of one's own; others carry their direction


class Axis(NamedTuple):
    """A numeric key of the config that the figure is a curve over."""

    key: str
    label: str
    log: bool


@dataclass(frozen=True)
class Experiment:
    """The content of an experiment's file."""

    title: str  # the first line of its docstring
    base: str
    overrides: Mapping[str, Any]  # for all variants, dotted keys
    variants: Mapping[str, Mapping[str, Any]]
    seeds: tuple[int, ...]
    report: tuple[Reported, ...]
    axis: Axis | None
    evaluated: bool  # at the last step, whatever eval.every is
    needs: Needs = field(default_factory=Needs)  # of a machine in a cluster
    slurm: Mapping[str, Any] = field(default_factory=dict)  # more of Slurm's parameters
    together: bool = False  # whether the seeds of a variant train in one program


def load(path: str, seeds: int | None = None) -> Experiment:
    """The experiment of a Python file, whose format is in docs/experiments.md; `seeds` replace those of the file.

    Raises: InputError if the file does not load, or a part of it is missing or invalid.
    """
    module = load_module(path, "experiment")
    _check_names(path, module)
    try:
        variants = _variants(module)
        overrides = _overrides("OVERRIDES", getattr(module, "OVERRIDES", {}))
        evaluate = getattr(module, "EVALUATE", None)
        if evaluate is not None:
            overrides = overrides | {
                "eval.metrics": ",".join(metric.name for metric in registry.parse(evaluate, "EVALUATE"))
            }
        return Experiment(
            title=summary(module.__doc__) or Path(path).stem,
            base=_text("BASE", module.BASE, "a config such as 'configs/dcgan.py'"),
            overrides=overrides,
            variants=variants,
            seeds=_seeds(module.SEEDS if seeds is None else seeds),
            report=_report(module.REPORT),
            axis=_axis(getattr(module, "X", None)),
            evaluated=evaluate is not None,
            needs=parse(getattr(module, "NEEDS", {})),
            slurm=parse_slurm(getattr(module, "SLURM", {})),
            together=_boolean("TOGETHER", getattr(module, "TOGETHER", False)),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _check_names(path: str, module: ModuleType) -> None:
    names = (*REQUIRED, *OPTIONAL)
    defined = [name for name in vars(module) if not name.startswith("_")]
    for name in REQUIRED:
        if name not in defined:
            raise InputError(f"{path} has no {name}{_misspelled(name, defined)}: it needs {', '.join(REQUIRED)}")
    for name in (name for name in defined if name.isupper() and name not in names):
        if near := difflib.get_close_matches(name, names, n=1, cutoff=0.8):
            raise InputError(f"{path}: {name} is unknown (did you mean {near[0]}?); names of your own begin with _")


def _misspelled(name: str, defined: list[str]) -> str:
    near = difflib.get_close_matches(name, defined, n=1)
    return f" (is it {near[0]}?)" if near else ""


def _text(name: str, value: Any, expected: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}={value!r}: expected {expected}")
    return value


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{name}={value!r}: expected True or False")
    return value


def _overrides(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(f'{name}: expected dotted keys and values, as {{"optimizer.critic.b1": 0.5}}; got {value!r}')
    if "seed" in value:
        raise InputError(f"{name} sets the seed: SEEDS does that")
    return dict(value)


def _variants(module: ModuleType) -> dict[str, dict[str, Any]]:
    try:
        variants = module.variants()
    except Exception as error:  # any fault of the file
        raise InputError(f"variants() fails: {fault(error, Path(module.__file__))}") from error
    if not isinstance(variants, Mapping) or not variants:
        raise InputError(f'variants(): expected {{"a title": {{"a.key": value}}, ...}}; got {variants!r}')
    return {
        _text("variants(): the title", title, "a text"): _overrides(f"variant {title!r}", overrides)
        for title, overrides in variants.items()
    }


def _seeds(value: Any) -> tuple[int, ...]:
    if _is_integer(value) and value >= 1:
        return tuple(range(value))
    numbers = isinstance(value, list | tuple) and all(_is_integer(seed) and 0 <= seed < 2**32 for seed in value)
    if numbers and value and len(set(value)) == len(value):
        return tuple(value)
    raise InputError(
        f"SEEDS={value!r}: expected their number, at least 1, or a list of different ones from 0 to 2**32 - 1"
    )


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _report(value: Any) -> tuple[Reported, ...]:
    expected = (
        'expected {"a label in metrics.jsonl": "a short title"}, or (title, "lower" or "higher") for your own number'
    )
    if not isinstance(value, Mapping) or not value:
        raise InputError(f"REPORT={value!r}: {expected}")
    report = []
    for name, entry in value.items():
        parts = (entry,) if isinstance(entry, str) else entry
        are_texts = isinstance(parts, tuple | list) and all(isinstance(part, str) for part in (name, *parts))
        if not are_texts or len(parts) not in (1, 2) or (parts[1:] and parts[1] not in ("lower", "higher")):
            raise InputError(f"REPORT: {name!r}: {entry!r}: {expected}")
        report.append(Reported(name, *parts))
    titles = [reported.title for reported in report]
    if twice := next((title for title in titles if titles.count(title) > 1), None):
        raise InputError(f"REPORT: two numbers have the title {twice!r}")
    return tuple(report)


def _axis(value: Any) -> Axis | None:
    if value is None:
        return None
    are_texts = isinstance(value, tuple | list) and len(value) == 3 and all(isinstance(part, str) for part in value)
    if not are_texts or value[2] not in ("linear", "log"):
        raise InputError(f'X={value!r}: expected ("a.key", "the axis\' label", "linear" or "log")')
    return Axis(value[0], value[1], value[2] == "log")
