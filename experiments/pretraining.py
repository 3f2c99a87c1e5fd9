"""The gain of pretraining with few labels: python -m experiments.pretraining --workdir=runs/pretraining

Trains configs/pretrain_classifier.py (or --config) for each number of labels and seed; each run includes its control,
trained from scratch on the same batches. Runs of one seed share their pretraining, which is done once. Finished runs
are skipped, stopped ones are resumed. Writes results.json, results.md and pretraining.png: accuracies on the split
"test", and the mean gain with its interval over seeds.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from ml_collections import ConfigDict, config_flags
from scipy import stats

from genjax import data
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.config import differences
from genjax.engine.compiler import enable_compilation_cache
from genjax.engine.outputs import apply_in_batches
from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.metrics import conditional_accuracy
from genjax.report.figures import COLORS, rendered, save_png, tidy
from genjax.run.restore import restore
from genjax.run.training import train

FLAGS = flags.FLAGS

LEVEL = 0.95
"""Confidence level of the intervals."""


def define_flags() -> None:
    """The flags of this entry point."""
    config_flags.DEFINE_config_file("config", "configs/pretrain_classifier.py", "The experiment, as for genjax.train.")
    define_path("workdir", "runs/pretraining", "Folder of the runs and of the results.")
    flags.DEFINE_list("labels", ["100", "500", "2000"], "Numbers of labeled images.")
    flags.DEFINE_integer("seeds", 5, "Runs per number of labels, at least 2.", lower_bound=2)
    flags.DEFINE_integer("first_seed", 0, "Seed of the first run.", lower_bound=0)


def main() -> int:
    """Train the runs that are not finished and write the results; returns the exit code."""
    enable_compilation_cache()
    folder = Path(FLAGS.workdir)
    results = []
    counts = [_count(text) for text in FLAGS.labels]
    for seed in range(FLAGS.first_seed, FLAGS.first_seed + FLAGS.seeds):
        paths = [folder / f"labels_{count}_seed_{seed}" for count in counts]
        for count, path in zip(counts, paths, strict=True):
            config = ConfigDict(FLAGS.config).unlock()
            config.update(seed=seed, labels=count, save_every=config.pretrain.steps)
            share_pretraining(paths[0], path, config.pretrain.steps)
            result = finished(config, path)
            if result is None:
                return 1
            results.append(result)
        if seed > FLAGS.first_seed:  # one seed has no interval
            write(folder, results)
    print((folder / "results.md").read_text("utf-8"))
    return 0


def share_pretraining(source: Path, path: Path, steps: int) -> None:
    """Copy the checkpoint at the end of pretraining from another run of the seed: it does not depend on the labels.

    An incomplete copy fails its checkpoint's digests, and the run repeats the pretraining.
    """
    name = Path("checkpoints") / f"{steps:08d}"
    if (source / name).exists() and not path.exists():
        shutil.copytree(source / name, path / name)


def finished(config: ConfigDict, path: Path) -> dict[str, Any] | None:
    """The result of a run, which is trained unless it is finished; None if it was stopped.

    Raises: InputError if the folder has the result of another config.
    """
    file = path / "result.json"
    if not file.exists():
        shared = not (path / "config.json").exists()  # a checkpoint of another run, or nothing
        if train(config, path, force=shared):
            return None
        write_bytes(file, json.dumps(evaluate(config, path), indent=1).encode())
    result = json.loads(file.read_text("utf-8"))
    if changes := list(differences(result["config"], config.to_dict())):
        raise InputError(f"{path} has another config's result; choose another --workdir:\n  " + "\n  ".join(changes))
    return result


def evaluate(config: ConfigDict, path: Path) -> dict[str, Any]:
    """Accuracies of a finished run on the split "test" of its data."""
    task, state = restore(path)
    settings = ConfigDict(config.data)
    settings.split = "test"
    test = data.load(settings)
    x = test.read(np.arange(test.size))
    accuracies = {
        name: conditional_accuracy(apply_in_batches(task.outputs[output], state, x), test.labels)
        for name, output in (("pretrained", "classify"), ("scratch", "classify_scratch"))
    }
    about = {"labels": config.labels, "seed": config.seed, "test": test.fingerprint}
    return accuracies | about | {"config": config.to_dict()}


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean and half the width of Student's interval, which is infinite for one value."""
    n = len(values)
    if n < 2:
        return float(np.mean(values)), float("inf")
    return float(np.mean(values)), float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))


def summary(results: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Mean and half-width of both accuracies and of the gain within a seed, per number of labels."""
    for labels in sorted({result["labels"] for result in results}):
        runs = [result for result in results if result["labels"] == labels]
        gains = [run["pretrained"] - run["scratch"] for run in runs]
        accuracies = {name: interval([run[name] for run in runs]) for name in ("scratch", "pretrained")}
        yield {"labels": labels, "seeds": len(runs), **accuracies, "gain": interval(gains)}


def write(folder: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """Write results.json, results.md and pretraining.png."""
    rows = list(summary(results))
    write_bytes(folder / "results.json", json.dumps({"summary": rows, "runs": list(results)}, indent=1).encode())
    write_bytes(folder / "results.md", as_markdown(rows).encode())
    save_png(folder / "pretraining.png", as_figure(rows))


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The summary as a table."""
    lines = ["| Labels | Seeds | From scratch | Pretrained | Gain |", "|---|---|---|---|---|"]
    for row in rows:
        cells = ["{:.4f} ± {:.4f}".format(*row[name]) for name in ("scratch", "pretrained", "gain")]
        lines.append(" | ".join([f"| {row['labels']:,}", str(row["seeds"]), *cells]) + " |")
    return "\n".join(lines) + "\n"


def as_figure(rows: Sequence[Mapping[str, Any]]):
    """Both accuracies and the gain over the number of labels, with their intervals. Returns: an image."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullLocator

    figure = Figure(figsize=(10, 4.2), dpi=160, layout="constrained")
    left, right = figure.subplots(1, 2)
    labels = np.array([row["labels"] for row in rows])

    def draw(axes, name, color, aside, title):
        means, widths = np.array([row[name] for row in rows]).T
        axes.errorbar(labels * aside, means, widths, color=color, lw=1.9, marker="o", ms=5, capsize=4, label=title)

    draw(left, "pretrained", COLORS[0], 1.03, "pretrained")
    draw(left, "scratch", COLORS[1], 0.97, "from scratch")
    draw(right, "gain", COLORS[0], 1.0, None)
    right.axhline(0, color="#666666", lw=0.8)
    left.legend(loc="lower right", fontsize=9.5, frameon=True, framealpha=0.8, edgecolor="none")
    titles = "accuracy on test images", f"gain, mean and {LEVEL:.0%} interval of {rows[0]['seeds']} seeds"
    for axes, title in zip((left, right), titles, strict=True):
        axes.set_xscale("log")
        axes.set_xticks(labels)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
        axes.set_xlabel("labeled images")
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color="#333333")
        tidy(axes)
    return rendered(figure)


def _count(text: str) -> int:
    if not text.strip().isdigit() or not int(text):
        raise InputError(f"--labels: {text!r} is not a number of labels, such as 500")
    return int(text)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
