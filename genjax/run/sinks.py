"""Sinks of a run's progress: the files of its folder and the console; trackers are in `genjax.run.trackers`."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from genjax.report import figures
from genjax.run.workdir import Workdir

if TYPE_CHECKING:
    from PIL.Image import Image


class Sink:
    """A place that progress is written to. A kind of progress that a sink does not show is ignored."""

    def row(self, row: Mapping[str, Any]) -> None:
        """A row of metrics.jsonl."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Metrics of training or results of an evaluation, by name."""

    def preview(self, folder: str, step: int, image: "Image", title: str = "") -> None:
        """An image of a step, one of a sequence that is named by its folder."""

    def image(self, name: str, image: "Image") -> None:
        """An image by file name, which replaces the one before."""

    def line(self, text: str) -> None:
        """A line for the user."""

    def flush(self) -> None:
        """Write everything that is buffered."""

    def close(self) -> None:
        """Nothing more comes."""


class Files(Sink):
    """metrics.jsonl and the images of a run's folder."""

    def __init__(self, workdir: Workdir):
        self.workdir = workdir

    def row(self, row):
        """Append the row."""
        self.workdir.log(row)

    def preview(self, folder, step, image, title=""):
        """Write folder/step_00001000.png."""
        figures.save_png(self.workdir.path / folder / f"step_{step:08d}.png", image, title)

    def image(self, name, image):
        """Write the file."""
        figures.save_png(self.workdir.path / name, image)


class Console(Sink):
    """Lines on the console."""

    def __init__(self, log: Callable[[str], None]):
        self.line = log
