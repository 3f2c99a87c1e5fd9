"""Anomaly detection by an autoencoder: python -m experiments.anomaly --png=anomaly.png --md=anomaly.md

An autoencoder of clothes (configs/ae_stacked.py, trained if --workdir has no run) reconstructs held-out clothes and
other images of their size. The score of an image is the mean squared error of its reconstruction, for pixels from 0 to
1. Detection is measured by the area under the ROC curve: the probability that a random anomaly has a higher score than
a random piece of clothing.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags

from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.ops.pixels import quantize
from genjax.report.figures import COLORS, rendered, save_png, tidy

FLAGS = flags.FLAGS
CONFIG = Path(__file__).parents[1] / "configs" / "ae_stacked.py"


class Scored(NamedTuple):
    """One kind of images and their scores."""

    images: np.ndarray  # uint8 [N, 28, 28, 1]
    scores: np.ndarray  # [N]


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("workdir", "runs/anomaly", "A run of an autoencoder of 28x28 gray clothes; trained if absent.")
    define_path("png", "", "Draw the ROC curves and images here.")
    flags.DEFINE_string("md", "", "Write the table here, as Markdown.")


def main() -> int:
    """Score and print; the exit code."""
    for flag, path, suffix in (("png", FLAGS.png, ".png"), ("md", FLAGS.md, ".md")):
        if path and not path.endswith(suffix):
            raise InputError(f"--{flag}={path}: expected a {suffix}")
    if not (Path(FLAGS.workdir) / "config.json").exists() and (code := _train(FLAGS.workdir)):
        return code
    kinds = measure(FLAGS.workdir)
    text = as_text(kinds)
    print(text)
    try:
        if FLAGS.png:
            save_png(FLAGS.png, draw(kinds))
        if FLAGS.md:
            write_bytes(FLAGS.md, f"{text}\n".encode())
    except OSError as error:
        raise InputError(f"{error.filename or FLAGS.png} cannot be written: {error.strerror or error}") from error
    return 0


def _train(workdir):
    from genjax.run.training import train

    spec = importlib.util.spec_from_file_location("ae_stacked", CONFIG)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return train(module.get_config(), workdir)


def measure(workdir) -> dict[str, Scored]:
    """Scores of held-out clothes and of anomalies, by name; clothes first.

    Raises: InputError if the run does not reconstruct 28x28 gray images.
    """
    from genjax.engine.outputs import apply_in_batches
    from genjax.run.loaded import Examples, open_run

    run = open_run(workdir, Examples("fashion_mnist_10k", "test"), needs=("reconstruct",))
    scored = {}
    for name, x in images_by_kind(run.examples).items():
        y = apply_in_batches(run.task.outputs["reconstruct"], run.state, x)
        scored[name] = Scored(x, np.square((np.float64(y) - x) / 255).mean((1, 2, 3)))
    return scored


def images_by_kind(clothes: np.ndarray) -> dict[str, np.ndarray]:
    """Clothes, altered clothes and emoji. Shapes: uint8 [N, 28, 28, 1]."""
    from genjax.evaluation.sources import open_images

    source = open_images("emoji_32", "test", {"size": "28", "channels": 1})
    emoji = source.read(np.arange(source.size))
    noise = np.random.default_rng(0).normal(0, 0.1 * 255, clothes.shape)
    return {
        "clothes": clothes,
        "emoji, on white": emoji,
        "emoji, on black": 255 - emoji,
        "clothes, upside down": clothes[:, ::-1],
        "clothes, on their side": clothes.swapaxes(1, 2),
        "clothes, noise of 0.1": quantize(clothes + noise),
    }


def auc(normal, anomalies) -> float:
    """The area under the ROC curve: the probability that an anomaly has the higher score, ties counted by half.

    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", doi:10.1148/radiology.143.1.7063747.
    Shapes: scores [N], [M].
    """
    normal = np.sort(np.asarray(normal, float))
    below = np.searchsorted(normal, anomalies, "left") + np.searchsorted(normal, anomalies, "right")
    return float(below.mean() / (2 * len(normal)))


def roc(normal, anomalies) -> tuple[np.ndarray, np.ndarray]:
    """The ROC curve: shares of normal examples and of anomalies at or above each threshold, from the highest down.

    Shapes: scores [N], [M] -> false and true positive rates, each [thresholds + 1], from 0 to 1.
    """
    normal = np.asarray(normal, float)
    anomalies = np.asarray(anomalies, float)
    thresholds = np.unique(np.concatenate([normal, anomalies]))[::-1]
    rates = [1 - np.searchsorted(np.sort(scores), thresholds, "left") / len(scores) for scores in (normal, anomalies)]
    false, true = (np.concatenate([[0.0], rate]) for rate in rates)
    return false, true


def as_text(kinds: Mapping[str, Scored]) -> str:
    """The scores and areas as a table in Markdown."""
    normal = next(iter(kinds.values())).scores
    lines = ["| Images | Count | Median error | AUC | Detected at 5% false alarms |", "|---|---|---|---|---|"]
    for name, (_, scores) in kinds.items():
        share = (scores > np.quantile(normal, 0.95)).mean()
        area = "" if scores is normal else f"{auc(normal, scores):.3f}"
        detected = "" if scores is normal else f"{share:.0%}"
        lines.append(f"| {name} | {len(scores):,} | {np.median(scores):.4f} | {area} | {detected} |")
    return "\n".join(lines)


def draw(kinds: Mapping[str, Scored]):
    """The ROC curves, and images of each kind from the least score to the largest."""
    from matplotlib.figure import Figure

    (_, (_, normal)), *anomalies = kinds.items()
    figure = Figure(figsize=(10, 5), dpi=120, layout="constrained")
    axes, shelf = figure.subplots(1, 2, width_ratios=(1.25, 1))
    axes.plot([0, 1], [0, 1], color="#bbbbbb", lw=1, ls="--")
    for (name, (_, scores)), color in zip(anomalies, COLORS, strict=False):
        axes.plot(*roc(normal, scores), color=color, lw=2, label=f"{name}: {auc(normal, scores):.3f}")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("clothes taken for anomalies (false positive rate)", color="#333333")
    axes.set_ylabel("anomalies detected (true positive rate)", color="#333333")
    axes.set_title("Detection by reconstruction error", loc="left", fontsize=11, fontweight="bold", color="#333333")
    axes.legend(title="area under the curve", loc="lower right", frameon=True, edgecolor="none", fontsize=9.5)
    tidy(axes)
    _fill(shelf, kinds)
    return rendered(figure)


def _fill(shelf, kinds):
    """Rows of images over the range of their scores: least, quarters, largest."""
    shown = 5
    for row, (name, (images, scores)) in enumerate(kinds.items()):
        order = np.argsort(scores)
        for column, index in enumerate(order[np.linspace(0, len(order) - 1, shown).astype(int)]):
            place = (column, column + 0.92, -row - 0.92, -row)
            shelf.imshow(images[index, ..., 0], cmap="gray", vmin=0, vmax=255, extent=place, interpolation="nearest")
        shelf.text(shown + 0.12, -row - 0.46, name.replace(", ", ",\n"), va="center", fontsize=9, color="#333333")
    shelf.set(xlim=(0, shown + 2), ylim=(-len(kinds), 0), aspect="equal")
    shelf.set_title("From the least error to the largest", loc="left", fontsize=11, fontweight="bold", color="#333333")
    shelf.axis("off")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
