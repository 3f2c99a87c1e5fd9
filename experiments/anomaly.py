"""Find what an autoencoder has not seen: python -m experiments.anomaly --png=anomaly.png --md=anomaly.md

An autoencoder of clothes (configs/ae_stacked.py, trained if --workdir has no run) reconstructs clothes that it was not
trained on, and other images of their size. The score of an image is the mean squared error of its reconstruction;
how well it tells the others from clothes is the area under the ROC curve: the chance that one of the others, drawn at
random, has a higher score than a piece of clothing.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags

from genjax.cli import entry
from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.ops.pixels import quantize
from genjax.report.figures import COLORS, rendered, save_png, tidy

FLAGS = flags.FLAGS
CONFIG = Path(__file__).parents[1] / "configs" / "ae_stacked.py"


class Found(NamedTuple):
    """One kind of images and their scores."""

    images: np.ndarray  # uint8 [N, 28, 28, 1]
    scores: np.ndarray  # [N]


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("workdir", "runs/anomaly", "An autoencoder of 28x28 gray clothes; it is trained if it is none.")
    flags.DEFINE_string("png", "", "Draw the ROC curves and images here.")
    flags.DEFINE_string("md", "", "Write the table here, as Markdown.")


def main() -> int:
    """Score and print; the exit code."""
    for flag, path, suffix in (("png", FLAGS.png, ".png"), ("md", FLAGS.md, ".md")):
        if path and not path.endswith(suffix):
            raise InputError(f"--{flag}={path}: expected a {suffix}")
    if not (Path(FLAGS.workdir) / "config.json").exists() and (code := _train(FLAGS.workdir)):
        return code
    found = measure(FLAGS.workdir)
    text = as_text(found)
    print(text)
    try:
        if FLAGS.png:
            save_png(FLAGS.png, draw(found))
        if FLAGS.md:
            write_bytes(FLAGS.md, f"{text}\n".encode())
    except OSError as error:
        raise InputError(f"{error.filename or FLAGS.png} cannot be written: {error.strerror or error}") from error
    return 0


def _train(workdir):
    from genjax.train import train

    spec = importlib.util.spec_from_file_location("ae_stacked", CONFIG)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return train(module.get_config(), workdir)


def measure(workdir) -> dict[str, Found]:
    """Scores of held-out clothes and of the others, by name; clothes first.

    Raises: InputError if the run does not reconstruct 28x28 gray images.
    """
    from genjax.engine.outputs import apply_in_batches
    from genjax.run.loaded import Examples, open_run

    run = open_run(workdir, Examples("fashion_mnist_10k", "test"), needs=("reconstruct",))
    found = {}
    for name, x in kinds(run.examples).items():
        y = apply_in_batches(run.task.outputs["reconstruct"], run.state, x)
        found[name] = Found(x, np.square((np.float64(y) - x) / 255).mean((1, 2, 3)))
    return found


def kinds(clothes: np.ndarray) -> dict[str, np.ndarray]:
    """Clothes and what is none, or is not as it should be. Shapes: uint8 [N, 28, 28, 1]."""
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


def auc(normal, others) -> float:
    """The chance that another's score is above a normal one's, ties by half: the area under the ROC curve.

    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", doi:10.1148/radiology.143.1.7063747.
    Shapes: scores [N], [M].
    """
    normal = np.sort(np.asarray(normal, float))
    below = np.searchsorted(normal, others, "left") + np.searchsorted(normal, others, "right")
    return float(below.mean() / (2 * len(normal)))


def roc(normal, others) -> tuple[np.ndarray, np.ndarray]:
    """The ROC curve: for each threshold, from the highest down, the shares of normal ones and of others at or above.

    Shapes: scores [N], [M] -> false and true positive rates, each [thresholds + 1], from 0 to 1.
    """
    normal, others = np.asarray(normal, float), np.asarray(others, float)
    thresholds = np.unique(np.concatenate([normal, others]))[::-1]
    rates = [1 - np.searchsorted(np.sort(scores), thresholds, "left") / len(scores) for scores in (normal, others)]
    false, true = (np.concatenate([[0.0], rate]) for rate in rates)
    return false, true


def as_text(found: Mapping[str, Found]) -> str:
    """The scores and areas as a table in Markdown."""
    normal = next(iter(found.values())).scores
    lines = ["| Images | Count | Median error | AUC | Found at 5% false alarms |", "|---|---|---|---|---|"]
    for name, (_, scores) in found.items():
        share = (scores > np.quantile(normal, 0.95)).mean()
        area = "" if scores is normal else f"{auc(normal, scores):.3f}"
        caught = "" if scores is normal else f"{share:.0%}"
        lines.append(f"| {name} | {len(scores):,} | {np.median(scores):.4f} | {area} | {caught} |")
    return "\n".join(lines)


def draw(found: Mapping[str, Found]):
    """The ROC curves, and of each kind the image in the middle of its scores, as it looks."""
    from matplotlib.figure import Figure

    (_, (_, normal)), *others = found.items()
    figure = Figure(figsize=(10, 5), dpi=120, layout="constrained")
    axes, shelf = figure.subplots(1, 2, width_ratios=(1.25, 1))
    axes.plot([0, 1], [0, 1], color="#bbbbbb", lw=1, ls="--")
    for (name, (_, scores)), color in zip(others, COLORS, strict=False):
        axes.plot(*roc(normal, scores), color=color, lw=2, label=f"{name}: {auc(normal, scores):.3f}")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("clothes taken for others (false positive rate)", color="#333333")
    axes.set_ylabel("others found (true positive rate)", color="#333333")
    axes.set_title("Told by their reconstruction error", loc="left", fontsize=11, fontweight="bold", color="#333333")
    axes.legend(title="area under the curve", loc="lower right", frameon=True, edgecolor="none", fontsize=9.5)
    tidy(axes)
    _fill(shelf, found)
    return rendered(figure)


def _fill(shelf, found):
    """Rows of images over the range of their scores: least, quarters, largest."""
    shown = 5
    for row, (name, (images, scores)) in enumerate(found.items()):
        order = np.argsort(scores)
        for column, index in enumerate(order[np.linspace(0, len(order) - 1, shown).astype(int)]):
            place = (column, column + 0.92, -row - 0.92, -row)
            shelf.imshow(images[index, ..., 0], cmap="gray", vmin=0, vmax=255, extent=place, interpolation="nearest")
        shelf.text(shown + 0.12, -row - 0.46, name.replace(", ", ",\n"), va="center", fontsize=9, color="#333333")
    shelf.set(xlim=(0, shown + 2), ylim=(-len(found), 0), aspect="equal")
    shelf.set_title("From the least error to the largest", loc="left", fontsize=11, fontweight="bold", color="#333333")
    shelf.axis("off")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
