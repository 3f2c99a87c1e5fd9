"""More data for a classifier: python -m experiments.augmentation --workdir=runs/augmentation

Does a GAN that is trained on a few labeled images alone make more of them for a classifier (arXiv:1711.04340's
question)? For each number of labels per class and each seed, classifiers of one config are trained for as many steps
on: the labeled images; these moved by up to two pixels and mirrored; these and samples of a conditional GAN of them,
half each; and both. Finished cells are skipped. Writes results.json, results.md and augmentation.png: accuracies on
the split "test", and the mean gain over the labeled images alone with its interval over seeds.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from experiments.pretraining import interval
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.config_files import load
from genjax.data import Source, in_memory
from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.metrics import conditional_accuracy
from genjax.report.figures import COLORS, grid, name_rows, rendered, save_png, tidy

FLAGS = flags.FLAGS

ARMS = "labels alone", "moved and mirrored", "with GAN samples", "both"
DATA = "fashion_mnist_10k"
MOVES = 2
"""Pixels by which images are moved at most."""


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("workdir", "runs/augmentation", "Folder of the results.")
    flags.DEFINE_list("labels", ["10", "50", "200"], "Numbers of labeled images per class.")
    flags.DEFINE_integer("seeds", 5, "Cells per number of labels, at least 2.", lower_bound=2)
    flags.DEFINE_string("classifier", "classifier", "The classifiers' config.")
    flags.DEFINE_string("gan", "cgan:projection", "The config of the conditional GAN.")
    flags.DEFINE_integer("steps", 1000, "Steps of each classifier.", lower_bound=1)
    flags.DEFINE_integer("gan_steps", 3000, "Steps of the GAN.", lower_bound=1)
    flags.DEFINE_integer("samples", 500, "Samples of the GAN per class.", lower_bound=1)


def main() -> int:
    """Train the cells that are not finished, write the results; the exit code."""
    from genjax.engine.compiler import enable_compilation_cache

    counts = [_count(text) for text in FLAGS.labels]
    enable_compilation_cache()
    folder = Path(FLAGS.workdir)
    names = "classifier", "gan", "steps", "gan_steps", "samples"
    settings = {name: FLAGS[name].value for name in names}
    results = []
    for seed in range(FLAGS.seeds):
        for count in counts:
            results.append(finished(folder / f"labels_{count}_seed_{seed}", settings, count, seed))
            print(f"{count} labels per class, seed {seed}: {_said(results[-1]['accuracy'])}", flush=True)
        if seed:  # one seed has no interval
            write(folder, results)
    print((folder / "results.md").read_text("utf-8"))
    return 0


def _said(accuracies: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in accuracies.items())


def _count(text: str) -> int:
    """A number of labels per class. Raises: InputError."""
    if not text.isdecimal() or not 1 <= int(text) <= 500:
        raise InputError(f"--labels={text}: expected numbers from 1 to 500 per class, as in 10,50,200")
    return int(text)


def finished(path: Path, settings: Mapping[str, Any], count: int, seed: int) -> dict[str, Any]:
    """The result of a cell, which is trained unless it is finished. Raises: InputError for one of other settings."""
    file = path / "result.json"
    about = {"labels": count, "seed": seed, "settings": dict(settings)}
    if file.exists():
        result = json.loads(file.read_text("utf-8"))
        if any(result.get(name) != value for name, value in about.items()):
            raise InputError(f"{path} has a result of other settings; choose another --workdir")
        return result
    accuracies, samples, names = measure(settings, count, seed)
    save_png(path / "samples.png", name_rows(grid(samples, 10), names), "GAN's samples, a row per class")
    result = about | {"accuracy": accuracies}
    write_bytes(file, json.dumps(result, indent=1).encode())
    return result


def measure(settings: Mapping[str, Any], count: int, seed: int) -> tuple[dict[str, float], np.ndarray, Sequence[str]]:
    """Accuracies of a cell by arm, and ten samples of the GAN of each class, with the classes' names."""
    from genjax.engine.outputs import apply_in_batches

    few, test = labeled(count, seed), _clothes("test")
    classes = len(few.label_names)
    seeds = np.arange(classes * settings["samples"], dtype=np.int32)
    task, state = fitted(settings["gan"], few, settings["gan_steps"], seed)
    fakes = apply_in_batches(task.outputs["sample"], state, seeds), seeds % classes
    accuracies = {}
    for name, (x, label) in zip(ARMS, arms(few, *fakes, seed), strict=True):
        source = in_memory(f"{DATA}, {name}", "train", x, label, few.label_names)
        task, state = fitted(settings["classifier"], source, settings["steps"], seed)
        predicted = apply_in_batches(task.outputs["classify"], state, test.read(np.arange(test.size)))
        accuracies[name] = conditional_accuracy(predicted, test.labels)
    return (
        accuracies,
        fakes[0][: 10 * classes].reshape(10, classes, *few.shape).swapaxes(0, 1).reshape(-1, *few.shape),
        few.label_names,
    )


def labeled(count: int, seed: int) -> Source:
    """`count` images of each class, chosen by a seed."""
    clothes = _clothes("train")
    order = np.random.default_rng(seed).permutation(clothes.size)
    classes = range(len(clothes.label_names))
    chosen = np.concatenate([order[clothes.labels[order] == label][:count] for label in classes])
    return in_memory(DATA, f"{count} per class", clothes.read(chosen), clothes.labels[chosen], clothes.label_names)


def _clothes(split: str) -> Source:
    from genjax.evaluation.sources import open_images

    return open_images(DATA, split)


def arms(few: Source, fakes: np.ndarray, fake_labels: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Images and labels of each of ARMS. Half of those with a GAN are its samples."""
    x, label = few.read(np.arange(few.size)), few.labels
    moved = augmented(x)
    moved_label = np.tile(label, len(moved) // len(label))
    yield x, label
    yield moved, moved_label
    for real, real_label in ((x, label), (moved, moved_label)):
        order = np.random.default_rng(seed).permutation(len(real))
        half = np.resize(order, len(fakes)) if len(real) < len(fakes) else order[: len(fakes)]
        yield np.concatenate([real[half], fakes]), np.concatenate([real_label[half], fake_labels])


def augmented(x: np.ndarray) -> np.ndarray:
    """All images moved by up to MOVES pixels in each direction over black, and their mirror images.

    Shapes: uint8 [N, H, W, C] -> [2 (2 MOVES + 1)^2 N, H, W, C], each block of N in the order of x.
    """
    height, width = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (MOVES, MOVES), (MOVES, MOVES), (0, 0)))
    moves = range(2 * MOVES + 1)
    moved = np.concatenate([padded[:, i : i + height, j : j + width] for i in moves for j in moves])
    return np.concatenate([moved, moved[:, :, ::-1]])


def fitted(name: str, source: Source, steps: int, seed: int):
    """A config's task and its state after `steps` on a source."""
    from genjax import tasks
    from genjax.engine.state import local
    from genjax.run.fit import fit

    config = load(name).unlock()
    config.update(steps=steps, classes=len(source.label_names))
    config.batch = min(config.batch, source.size)
    task = tasks.build(config, source.shape)
    state = None
    for result in fit(task, source, seed, boundaries=(steps,)):
        state = result.state
    return task, local(state)


def summary(results: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Mean and half-width of each arm's accuracy, and of its gain within a seed, per number of labels."""
    for labels in sorted({result["labels"] for result in results}):
        cells = [result["accuracy"] for result in results if result["labels"] == labels]
        accuracies = {arm: interval([cell[arm] for cell in cells]) for arm in ARMS}
        gains = {arm: interval([cell[arm] - cell[ARMS[0]] for cell in cells]) for arm in ARMS[1:]}
        yield {"labels": labels, "seeds": len(cells), "accuracy": accuracies, "gain": gains}


def write(folder: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """Write results.json, results.md and augmentation.png."""
    rows = list(summary(results))
    write_bytes(folder / "results.json", json.dumps({"summary": rows, "cells": list(results)}, indent=1).encode())
    write_bytes(folder / "results.md", as_markdown(rows).encode())
    save_png(folder / "augmentation.png", draw(rows))


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The summary as a table: accuracy alone, and gains."""
    lines = [f"| Labels per class | Seeds | {ARMS[0]} | {' | '.join(f'{arm}, gain' for arm in ARMS[1:])} |"]
    lines.append("|---" * (len(ARMS) + 2) + "|")
    for row in rows:
        cells = [row["accuracy"][ARMS[0]], *row["gain"].values()]
        text = " | ".join(f"{mean:.3f} ± {half:.3f}" for mean, half in cells)
        lines.append(f"| {row['labels']} | {row['seeds']} | {text} |")
    return "\n".join(lines) + "\n"


def draw(rows: Sequence[Mapping[str, Any]]):
    """Accuracy over the number of labels, a line per arm, with intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    x = [row["labels"] for row in rows]
    for number, (arm, color) in enumerate(zip(ARMS, COLORS, strict=False)):
        mean, half = np.transpose([row["accuracy"][arm] for row in rows])
        beside = np.array(x) * 1.03 ** (number - 1.5)
        axes.errorbar(beside, mean, half, color=color, lw=2, marker="o", ms=4, capsize=3, label=arm)
    axes.set_xscale("log")
    axes.set_xticks(x, [str(count) for count in x])
    axes.minorticks_off()
    axes.set_xlabel("labeled images per class", color="#333333")
    axes.set_ylabel("accuracy on held-out clothes", color="#333333")
    axes.legend(frameon=False, fontsize=9)
    tidy(axes)
    return rendered(figure)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
