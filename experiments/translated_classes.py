"""A classifier's word for an unpaired translation: python -m experiments.translated_classes --workdir=X --classifier=Y

The held-out images of both sets are translated, and classified before and after: the share that the classifier takes
for the other set's class is near 0 before, and near 1 after if translations look like that class. The sets are of
`class:LABEL:NAME`, and the classifier is a run on NAME with all its classes, such as of configs/classifier.py.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from absl import flags

from genjax import data
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.errors import InputError
from genjax.text import split_list, table

FLAGS = flags.FLAGS


class Row(NamedTuple):
    """Shares of the images of one direction."""

    direction: str  # "Sneaker to Ankle boot"
    images: int
    before: float  # of the images that are taken for the other class
    after: float  # of the translations
    own_after: float  # of the translations that are still taken for their own class
    error: float  # mean absolute error of round trips, pixels from 0 to 1


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("workdir", None, "A run of unpaired translation between two classes.", required=True)
    define_path("classifier", None, "A run of a classifier of these and other classes.", required=True)
    flags.DEFINE_string("split", "test", "The split of the images.")


def main() -> None:
    """Translate, classify and print."""
    print(as_text(measure(FLAGS.workdir, FLAGS.classifier, FLAGS.split)))


def measure(workdir: str, classifier: str, split: str = "test") -> list[Row]:
    """Both directions of a run, A to B first. Raises: InputError for runs that do not fit each other."""
    from genjax.engine.outputs import apply_in_batches
    from genjax.ops.pixels import quantize
    from genjax.run.loaded import open_run

    run = open_run(workdir, None, needs=("to_b", "to_a"))
    judge = open_run(classifier, None, needs=("classify",))
    kind, _, names = run.config.data.name.partition(":")
    names = split_list(names)
    if kind != "unpaired" or not all(name.startswith("class:") for name in names):
        raise InputError(f"{workdir}: its data are {run.config.data.name}: expected unpaired:class:A:NAME,class:B:NAME")
    config = run.config.data.copy_and_resolve_references()
    sources = []
    for name in names:
        config.update(name=name, split=split)
        sources.append(data.load(config))
    expected = tuple(judge.info["data"]["shape"])
    if sources[0].shape != expected:
        raise InputError(
            f"{classifier} takes images {list(expected)}, but those of {workdir} are {list(sources[0].shape)}"
        )

    def applied(name):
        return lambda x: quantize(apply_in_batches(run.task.outputs[name], run.state, x))

    def classify(x):
        return apply_in_batches(judge.task.outputs["classify"], judge.state, x).argmax(1)

    images = [source.read(np.arange(source.size)) for source in sources]
    labels = [int(source.labels[0]) for source in sources]
    titles = [
        source.label_names[label] if source.label_names else str(label)
        for source, label in zip(sources, labels, strict=True)
    ]
    there = (applied("to_b"), applied("to_a"))
    return [
        row(f"{titles[i]} to {titles[1 - i]}", images[i], labels[i], labels[1 - i], there[i], there[1 - i], classify)
        for i in range(2)
    ]


def row(
    direction: str, x: np.ndarray, own: int, other: int, there: Callable, back: Callable, classify: Callable
) -> Row:
    """The shares of one direction. Shapes: x uint8 [N, H, W, C]; there, back: the same; classify: -> int [N]."""
    before, made = classify(x), there(x)
    after = classify(made)
    error = np.abs(np.float64(back(made)) - x).mean() / 255
    return Row(direction, len(x), (before == other).mean(), (after == other).mean(), (after == own).mean(), error)


def as_text(rows: list[Row]) -> str:
    """The rows as a table of shares in percent."""
    shares = [
        (r.direction, r.images, *(f"{100 * share:.1f} %" for share in (r.before, r.after, r.own_after)), r.error)
        for r in rows
    ]
    headers = ("direction", "images", "the other class, before", "after", "its own, after", "round trip")
    return table(shares, headers)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
