"""Previews of a task while it trains: output name -> image. One entry of PREVIEWS is one more kind of preview."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from genjax.data.source import Source
from genjax.engine.outputs import apply_in_batches
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.evaluation import sources
from genjax.ops.pixels import quantize
from genjax.report import gallery, reconstructions
from genjax.run.loaded import restored
from genjax.run.monitor import DIVERSITY, diversity

if TYPE_CHECKING:
    from PIL.Image import Image

POINTS = 1000
"""Held-out points in a scatter plot."""

REFERENCE_POINTS = 2000
"""Points of the data behind those of a generator."""

MAX_COLUMNS = 16
"""Images of each set up to which each set has bands of its own."""


class Preview(NamedTuple):
    """One image of a step. `draw` may fail; training does not depend on it."""

    folder: str
    draw: Callable[[], "Image"]
    title: str = ""
    metrics: Mapping[str, float] = {}  # measured on the way


@dataclass
class Previewer:
    """Everything that previews are made of."""

    config: ConfigDict
    source: Source
    task: Task
    examples: np.ndarray | None = field(default=None, repr=False)  # inputs, not trained on; see `read_examples`

    @cached_property
    def diversity(self) -> Callable[[np.ndarray], float | None]:
        """Diversity of samples relative to the data's."""
        return diversity(self.source, self.config.samples)

    def previews(self, state: State, step: int) -> Iterator[Preview]:
        """The previews of the outputs that the task has. `state` is local to this process."""
        for output, preview in PREVIEWS.items():
            if output in self.task.outputs:
                yield preview(self, state, step)


def read_examples(config: ConfigDict, source: Source, task: Task, heldout: Source | None) -> np.ndarray | None:
    """The first held-out examples, or those of the source if none are held out; None if no preview takes examples.

    Raises: InputError if they cannot be read.
    """
    if not {"reconstruct", "stylize", "translate", "to_b"} & task.outputs.keys():
        return None
    heldout = heldout or sources.heldout(config.data.name, config.eval.heldout, config.data, source.fingerprint)
    chosen = heldout or source
    return chosen.read(np.arange(min(chosen.size, config.samples if len(chosen.shape) == 3 else POINTS)))


def samples(previewer: Previewer, state: State, step: int) -> Preview:
    """Samples of the seeds 0, 1, 2, ...: the image that genjax.sample makes of this step's checkpoint."""
    seeds = np.arange(previewer.config.samples, dtype=np.int32)
    task = previewer.task
    source = previewer.source
    x = apply_in_batches(task.outputs["sample"], state, seeds)
    reference = source.read(np.arange(min(source.size, REFERENCE_POINTS))) if x.ndim == 2 else None
    value = previewer.diversity(x) if step > task.first_sampled else None  # initial weights have none to expect
    metrics = {} if value is None else {DIVERSITY: value}
    legend = {"classes": task.classes, "names": source.label_names}
    legend["vocabulary"] = previewer.config.get("vocabulary", 0)
    return Preview("samples", lambda: gallery.draw(x, reference=reference, **legend), "", metrics)


def originals_over_reconstructions(previewer: Previewer, state: State, step: int) -> Preview:
    """Held-out examples over their reconstructions, in samples/ if the task makes no samples."""
    rows = restored(previewer.task, state, previewer.examples)
    folder = "reconstructions" if "sample" in previewer.task.outputs else "samples"
    return Preview(folder, lambda: reconstructions.draw(*rows), reconstructions.caption(len(rows)))


def contents_over_styles(previewer: Previewer, state: State, step: int) -> Preview:
    """Contents over styles over stylized images."""
    stylized = apply_in_batches(previewer.task.outputs["stylize"], state, previewer.examples)
    rows = *np.split(previewer.examples, 2, 1), quantize(stylized)
    return Preview("samples", lambda: reconstructions.bands(rows), "contents over styles over their union")


def inputs_over_translations(previewer: Previewer, state: State, step: int) -> Preview:
    """Held-out inputs over their translations over the targets."""
    y = quantize(apply_in_batches(previewer.task.outputs["translate"], state, previewer.examples))
    inputs, targets = np.split(previewer.examples, [previewer.examples.shape[-1] - y.shape[-1]], -1)
    rows = reconstructions.in_colors(inputs, y.shape[-1]), y, targets
    return Preview("samples", lambda: reconstructions.bands(rows), "inputs over translations over targets")


def round_trips(previewer: Previewer, state: State, step: int) -> Preview:
    """Held-out images over their translations over these translated back; images of A, then as many of B."""

    def applied(name, x):
        return quantize(apply_in_batches(previewer.task.outputs[name], state, x))

    count = -(-len(previewer.examples) // 2)
    a, b = np.split(previewer.examples[:count], 2, -1)
    there = applied("to_b", a), applied("to_a", b)
    back = applied("to_a", there[0]), applied("to_b", there[1])
    rows = [np.concatenate(row) for row in ((a, b), there, back)]
    columns = count if count <= MAX_COLUMNS else None
    return Preview("samples", lambda: reconstructions.bands(rows, columns), "images over translations over round trips")


PREVIEWS: dict[str, Callable[[Previewer, State, int], Preview]] = {
    "sample": samples,
    "reconstruct": originals_over_reconstructions,
    "stylize": contents_over_styles,
    "translate": inputs_over_translations,
    "to_b": round_trips,
}
"""Output name -> preview."""
