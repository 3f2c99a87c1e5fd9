"""A checkpoint of a run as a folder for others: weights, config, model card, samples, and programs in StableHLO."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from genjax import tasks
from genjax.config import changes
from genjax.data.registry import license_of, of_path
from genjax.engine.outputs import OUTPUTS
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError, did_you_mean, optional
from genjax.files import encode, new_folder, write_bytes
from genjax.report import figures, gallery
from genjax.report.model_card import LICENSES, Facts, card
from genjax.run import exported, onnx_models, stablehlo
from genjax.run.loaded import Run, open_run
from genjax.run.paths import shortened
from genjax.run.records import read_evaluations, read_metrics
from genjax.run.restore import load_info

SEEDS = 64
"""Samples in the image of the card, at most."""

PRIVATE = ("folder", "skipped", "saved", "best")
"""Parts of a run's config.json that say something of its folder and machine alone."""


class Choices(NamedTuple):
    """The choices of an export."""

    license: str  # of the weights, of genjax.report.model_card.LICENSES
    license_name: str = ""  # of the license "other"
    data_license: str = ""  # of data whose license genjax does not know
    weights: str = "inference"  # or "all", of genjax.run.exported.WEIGHTS
    programs: bool | None = None  # in StableHLO; None: where the package that they need is installed
    onnx: bool = False


def check(workdir: os.PathLike, choices: Choices) -> str:
    """The license of a run's data. Nothing is restored or compiled.

    Raises: InputError if there is no run, a license is missing or unknown, or a package is missing.
    """
    info = load_info(workdir)
    if exported.is_exported(workdir):
        raise InputError(f"{workdir} is an exported folder already")
    if choices.license not in LICENSES:
        got = f"no {choices.license!r}{did_you_mean(choices.license, LICENSES)}" if choices.license else "it is missing"
        raise InputError(
            f"--license, of the weights, which you choose: {got}; expected an identifier of the Hub, such as "
            f"{', '.join(LICENSES[:2])}, cc-by-4.0 or other: https://huggingface.co/docs/hub/repositories-licenses"
        )
    if (choices.license == "other") != bool(choices.license_name):
        raise InputError(f"--license={choices.license}, --license_name={choices.license_name!r}: other needs a name")
    if choices.programs:
        optional("flatbuffers", "a program in StableHLO")
    if choices.onnx:
        onnx_models.need()
    name = info["data"]["name"]
    known = license_of(of_path(name))
    if known and choices.data_license:
        raise InputError(f"--data_license: that of {name} is known ({known}): leave it out")
    if not known and not choices.data_license:
        raise InputError(
            f"the license of {name or 'the data'} is not known to genjax: give it in words, as "
            "--data_license='CC BY 4.0, my own photographs'"
        )
    return known or choices.data_license


def export(workdir: os.PathLike, out: os.PathLike, step: int | str | None, choices: Choices, command: str = "") -> Path:
    """Write a checkpoint (default: the newest) to a new folder, which is there completely or not at all.

    `command` is the one that exports it, for the card.
    Raises: InputError as `check` and `genjax.run.loaded.open_run` do; OSError if the folder cannot be written.
    """
    data_license = check(workdir, choices)
    run = open_run(workdir, None, step)
    if not run.task.outputs:
        raise InputError(f"{workdir}: the task {run.info['config']['task']!r} has no outputs, so nothing to export")
    example = exported.example_like(run.info)
    run.state = exported.part(run.task, run.state, example, choices.weights)
    made = _programs(run.task, run.state, example, choices.programs)
    models = onnx_models.models(run.task, run.state, example) if choices.onnx else {}
    illustration = _illustration(run, Path(workdir))
    with new_folder(out) as folder:
        sha256 = exported.write(folder, run.state)
        info = description(run.info, int(run.state.step), choices, sha256, made)
        write_bytes(folder / "config.json", encode(json.dumps(info, indent=2, ensure_ascii=False) + "\n"))
        for name, program in made.items():
            write_bytes(folder / "stablehlo" / f"{name}.bin", program.data)
        for name, model in models.items():
            write_bytes(folder / "onnx" / f"{name}.onnx", model)
        facts = _facts(run, info, Path(workdir), Path(out).name, choices, data_license)
        facts = replace(facts, command=shortened(command), models=tuple(models))
        if illustration:
            figures.save_png(folder / illustration.file, illustration.image, illustration.title)
            facts = replace(facts, image=illustration.file, image_title=illustration.title)
        write_bytes(folder / "README.md", encode(card(facts)))
    return Path(out)


def description(
    info: Mapping[str, Any], step: int, choices: Choices, sha256: str, made: Mapping[str, stablehlo.Program]
) -> dict[str, Any]:
    """The config.json of an exported folder: that of the run without what concerns its machine alone."""
    best = (info.get("best") or {}).get("step") == step
    public = _shortened({key: value for key, value in info.items() if key not in PRIVATE})
    facts = {"step": step, "weights": choices.weights, "sha256": sha256, "best": best}
    programs = {name: {"input": program.input, "output": program.output} for name, program in made.items()}
    return public | {"export": facts | {"programs": programs}}


def _shortened(value: Any) -> Any:
    """A tree of JSON with the last parts of absolute paths."""
    if isinstance(value, Mapping):
        return {key: _shortened(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(part) for part in value]
    return shortened(value) if isinstance(value, str) else value


def _programs(task: Task, state: State, example, enabled: bool | None) -> dict[str, stablehlo.Program]:
    """The programs of a task; none where they are not enabled, or the package that they need is missing."""
    if enabled is None:
        try:
            optional("flatbuffers", "a program in StableHLO")
        except InputError:
            enabled = False
    return {} if enabled is False else stablehlo.programs(task, state, example)


class Illustration(NamedTuple):
    """The image of the card."""

    file: str
    title: str
    image: Image.Image


def _illustration(run: Run, workdir: Path) -> Illustration | None:
    """Samples of the first seeds, or the run's preview of examples, unless these are somebody's own."""
    if "sample" in run.task.outputs:
        classes = run.task.classes
        count = SEEDS // classes * classes or SEEDS if classes else SEEDS  # complete rows, one for each class
        x = run.sample(np.arange(count))
        title = f"Samples of the seeds 0 to {count - 1}, unpicked" + (
            ", by the averaged weights" if run.state.ema else ""
        )
        image = gallery.draw(
            x, classes=classes, names=run.info["data"]["labels"], vocabulary=run.config.get("vocabulary", 0)
        )
        return Illustration("samples.png", title, image)
    preview = workdir / "samples" / f"step_{int(run.state.step):08d}.png"
    if not preview.is_file() or not license_of(of_path(run.info["data"]["name"])):
        return None
    with Image.open(preview) as image:
        return Illustration("examples.png", figures.title_of(preview).capitalize() or "Examples", image.copy())


def _facts(run: Run, info, workdir: Path, name: str, choices: Choices, data_license: str) -> Facts:
    """The facts of the card that follow from the run and the choices."""
    config = info["config"]
    step = int(run.state.step)
    records = workdir / "metrics.jsonl"
    contents = {net: "weights" + (" and optimizer" if choices.weights == "all" else "") for net in run.state.nets}
    contents |= {
        net: f"averaged weights, {contents[net]}" if net in contents else "averaged weights" for net in run.state.ema
    }
    return Facts(
        name=name,
        info=info,
        about=tasks.claim(config["task"]),
        steps=run.task.steps,
        changes=list(changes(tasks.default_config(config["task"]).to_dict(), config)),
        outputs={name: OUTPUTS[name].shapes for name in run.task.outputs if name in OUTPUTS},
        contents=contents,
        license=choices.license,
        license_name=choices.license_name,
        data_license=data_license,
        rows=[row for row in read_metrics(records) if row["step"] <= step],
        results=[row for row in read_evaluations(records) if row["step"] == step],
        example=str(exported.example_like(info).dtype),
        programs={name: (program["input"], program["output"]) for name, program in info["export"]["programs"].items()},
    )
