"""The configs that genjax comes with, as a table: what each is, how large it is, and what was measured of it.

`configs/index.json` is computed from the configs (`python -m experiments.configs` renews it, and tests compare it);
`configs/results.toml` is written by hand, one entry per measured run. Reading them imports no JAX.
"""

import ast
import json
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from genjax import config_files
from genjax.text import duration, table

INDEX = "index.json"
RESULTS = "results.toml"
README_HEADER = ("Config", "Model", "Parameters", "Run", "Time", "Time per step", "Fréchet distance", "Result")


@dataclass(frozen=True)
class Size:
    """The task, the data, the parameters and the steps of a config, as they are computed from it."""

    task: str
    data: str
    examples: int
    shape: tuple[int, ...]  # of an example
    parameters: dict[str, int]  # by net
    steps: int
    batch: int
    phases: tuple[str, ...]

    @property
    def total(self) -> int:
        """The number of all parameters."""
        return sum(self.parameters.values())


@dataclass(frozen=True)
class Result:
    """A measured run of a config: with which keys, how long it took, and the number that it reached."""

    config: str  # a name, with a variant as in "stylegan:wgan_gp"
    page: str  # below docs/, with the section
    model: str = ""  # in a few words; "" for runs that the README's table leaves out
    keys: dict[str, Any] | None = None  # that differ from the config's
    command: str = ""  # of a study, where the run is a part of one
    seconds: float | None = None
    machine: str = ""  # "" for the machine of the others
    step: str = ""  # time per step, in words
    frechet: str = ""
    result: str = ""  # the number, in words, where it is no Fréchet distance
    image: str = ""  # below docs/images/
    of: str = ""  # what the run was of, where that is not in the config's name

    @property
    def name(self) -> str:
        """The config's name without its variant."""
        return self.config.partition(":")[0]

    @property
    def spec(self) -> str:
        """The run's name in the index: the config with the keys that differ."""
        return " ".join([self.config, *(f"{key}={value}" for key, value in (self.keys or {}).items())])

    @property
    def reached(self) -> str:
        """The number that the run reached, in words; "" for a run that was not evaluated."""
        return self.result or (f"Fréchet distance {self.frechet}" if self.frechet[:1].isdigit() else "")

    @property
    def time(self) -> str:
        """The duration of the training, as text, or the time per step."""
        if self.seconds is None:
            return f"{self.step} per step" if self.step else ""
        return duration(self.seconds) + (f" ({self.machine})" if self.machine else "")

    @property
    def train(self) -> str:
        """The command that makes the run again."""
        keys = "".join(f" --config.{key}={_quoted(value)}" for key, value in (self.keys or {}).items())
        return self.command or f"genjax train {self.config}{keys}"


def _quoted(value: Any) -> str:
    return f"'{value}'" if set(str(value)) & set("[](){} ") else str(value)


@cache
def sizes() -> dict[str, Size]:
    """The sizes of all configs by name, and of the runs of `results` by `Result.spec`."""
    index = json.loads((config_files.FOLDER / INDEX).read_text("utf-8"))
    lists = ("shape", "phases")
    return {name: Size(**size | {key: tuple(size[key]) for key in lists}) for name, size in index.items()}


@cache
def results() -> list[Result]:
    """The measured runs, in the order of the README's table."""
    return [Result(**row) for row in tomllib.loads((config_files.FOLDER / RESULTS).read_text("utf-8"))["result"]]


def results_of(name: str) -> list[Result]:
    """The measured runs of a config and of its variants."""
    return [result for result in results() if result.name == name]


@cache
def _parsed(name: str) -> ast.Module:
    return ast.parse(Path(config_files.FOLDER / f"{name}.py").read_text("utf-8"))


def description(name: str) -> str:
    """The docstring of a config's file. Nothing is imported."""
    return ast.get_docstring(_parsed(name)) or ""


def claim(name: str) -> str:
    """The first line of a config's docstring."""
    return description(name).splitlines()[0]


def variants(name: str) -> list[str]:
    """The variants that a config's file writes out, as in `variant(config, name, smoke=...)`. Nothing is imported.

    Variants whose names are computed, as the settings of `auto`, are left out: the docstring has them.
    """
    calls = [node for node in ast.walk(_parsed(name)) if isinstance(node, ast.Call)]
    return [
        keyword.arg
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "variant"
        for keyword in call.keywords
        if keyword.arg
    ]


def size_of(result: Result) -> Size:
    """The size of a measured run; for data that are not packaged, that of its config with the run's steps."""
    if result.spec in sizes():
        return sizes()[result.spec]
    size = sizes()[result.name]
    return replace(size, steps=(result.keys or {}).get("steps", size.steps))


def run_of(result: Result) -> str:
    """The steps and the batch of a run; "1,000 of 10,000 x 64" for one that ends before its config does."""
    size, planned = size_of(result), sizes()[result.name].steps
    return f"{size.steps:,}" + (f" of {planned:,}" if size.steps < planned else "") + f" x {size.batch}"


def overview() -> str:
    """All configs as a table in text: task, parameters, run, time and result of the first measured run of each."""
    rows = []
    for name in config_files.names():
        size = sizes()[name]
        run = next(iter(results_of(name)), None)
        measured = (run_of(run), run.time, run.reached) if run else (f"{size.steps:,} x {size.batch}", "", "")
        rows.append((name, size.task, size.total, *measured))
    return table(rows, ("config", "task", "parameters", "steps x batch", "time", "result"))


def details(name: str) -> str:
    """A config in words: its docstring, data, nets and phases, its variants, and its measured runs with commands."""
    size = sizes()[name]
    nets = ", ".join(f"{net} {count:,}" for net, count in size.parameters.items())
    shape = " x ".join(map(str, size.shape))
    phases = f", in the phases {', '.join(size.phases)}" if len(size.phases) > 1 else ""
    lines = [
        description(name),
        "",
        f"task        {size.task}",
        f"data        {size.data}: {size.examples:,} of {shape}",
        f"parameters  {nets}",
        f"run         {size.steps:,} steps of batch {size.batch}{phases}",
        f"variants    {', '.join(f'{name}:{variant}' for variant in variants(name))}",
        f"train       genjax train {name}",
        f"file        {config_files.FOLDER / name}.py",
    ]
    for result in results_of(name):
        words = [f"of {result.of}" if result.of else "", run_of(result), result.time]
        words += [f"time per step {result.step}" if result.step and result.seconds is not None else ""]
        words += [result.reached or "not evaluated"]
        lines += ["", f"measured    {'; '.join(filter(None, words))}", f"            {result.train}"]
        lines += [f"            docs/{result.page}"]
    return "\n".join(lines)


def readme_table() -> str:
    """The README's table of models in Markdown, of the runs with a `model`."""
    rows = []
    for result in results():
        if not result.model:
            continue
        size = size_of(result)
        link = f"[`{result.name}.py{result.config.removeprefix(result.name)}`](configs/{result.name}.py)"
        rows.append(
            (
                link + (f", on {result.of}" if result.of else ""),
                result.model,
                " + ".join(f"{size.parameters[net]:,}" for net in ("generator", "critic")),
                run_of(result),
                result.time,
                result.step,
                result.frechet,
                f"[image](docs/images/{result.image})",
            )
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in [README_HEADER, *rows]).replace(
        "\n", f"\n{'|---' * len(README_HEADER)}|\n", 1
    )
