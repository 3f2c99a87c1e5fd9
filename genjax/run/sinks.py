"""Sinks of a run's progress: the files of its folder, the console, TensorBoard."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from genjax.errors import InputError
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


class TensorBoard(Sink):
    """Event files in a run's tensorboard/."""

    def __init__(self, workdir: Workdir):
        """Raises: InputError if tensorboardX is not installed."""
        try:
            import tensorboardX
        except ImportError as error:
            raise InputError("--tensorboard needs tensorboardX: pip install tensorboardX") from error
        self._folder = workdir.path / "tensorboard"
        self._module = tensorboardX

    @cached_property
    def _writer(self):
        return self._module.SummaryWriter(str(self._folder))

    def scalars(self, step, values):
        """One curve per name."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def preview(self, folder, step, image, title=""):
        """One sequence of images per folder."""
        self._writer.add_image(folder, np.asarray(image.convert("RGB")), step, dataformats="HWC")

    def flush(self):
        """Write the event files."""
        self._writer.flush()
