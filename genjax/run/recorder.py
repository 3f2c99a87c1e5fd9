"""What a run leaves behind as it goes: rows of metrics, sample images, checkpoints, the report."""

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from genjax.data.source import Source
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.distributed import is_main_process, run_on_all, run_on_main
from genjax.engine.loop import CallResult
from genjax.engine.outputs import apply_in_batches
from genjax.engine.phase import Task
from genjax.engine.state import State, local
from genjax.errors import InputError
from genjax.evaluation import sources
from genjax.evaluation.schedule import EvalSchedule
from genjax.ops.pixels import quantize
from genjax.report import figures, gallery, html, reconstructions
from genjax.run.loaded import restored
from genjax.run.monitor import DIVERSITY, WARNINGS, Monitor, diversity
from genjax.run.records import read_metrics
from genjax.run.workdir import Workdir
from genjax.text import number

REPORT_SECONDS = 60.0
"""The page is made anew at a checkpoint when it is older than this."""

POINTS = 1000
"""Held-out points in a scatter plot."""


class Recorder:
    """Writes what is due after each call of the loop. `metadata` are those of the checkpoint that the run goes on from.

    Of several processes, all call `record` and `save` together, and process 0 alone the others.
    """

    def __init__(
        self,
        workdir: Workdir,
        checkpoints: Checkpoints,
        config: ConfigDict,
        source: Source,
        task: Task,
        schedule: EvalSchedule,
        metadata: dict[str, Any],
        tensorboard: bool = False,
    ):
        self.workdir, self.checkpoints, self.config = workdir, checkpoints, config
        self.source, self.task, self.schedule = source, task, schedule
        self.say: Callable[[str], None] = print
        self.pending: dict[str, list[float]] = metadata.get("pending", {})  # metrics of the steps since the last row
        self.seconds: float = metadata.get("seconds", 0.0)  # spent in training
        self.logged: float = metadata.get("logged", 0.0)  # of those, at the last row
        schedule.spent = metadata.get("judged", 0.0)
        self.newest: dict[str, float] = {}  # the last step's metrics
        shown = {"reconstruct", "stylize"} & task.outputs.keys()
        self.examples = run_on_all(self._examples) if shown else None  # to be reconstructed, or stylized
        self.monitor = Monitor(config.task)
        self.undrawn: set[str] = set()  # folders whose images cannot be drawn
        self.reported = time.monotonic()
        self.writer = None
        if tensorboard and is_main_process():
            from tensorboardX import SummaryWriter

            self.writer = SummaryWriter(str(workdir.path / "tensorboard"))

    def forget_after(self, step: int) -> None:
        """Drop what a run that goes on from `step` will write again."""
        self.checkpoints.discard_after(step)
        self.workdir.forget_after(step)
        for row in read_metrics(self.workdir.metrics_file):
            self.monitor.read(row)

    def record(self, chunk: CallResult) -> None:
        """Log, sample and save what is due at a chunk's end."""
        run_on_main(lambda: self._show(chunk))
        if chunk.step == self.task.steps or chunk.step % self.config.save_every == 0:
            self.save(chunk.state)
            run_on_main(lambda: time.monotonic() - self.reported > REPORT_SECONDS and self.report())
        if self.schedule.due(chunk.step, self.seconds, self.say):
            self.judge(chunk.state, chunk.step)

    def _show(self, chunk: CallResult) -> None:
        c, step = self.config, chunk.step
        self.seconds += chunk.seconds
        for name, values in chunk.metrics.items():
            self.pending.setdefault(name, []).extend(values.tolist())
        self.newest = {name: values[-1] for name, values in self.pending.items()}
        last = step == self.task.steps
        if last or step % c.sample_every == 0:
            self.sample(chunk.state, step)
        if last or step % c.log_every == 0:
            self.log(step, chunk.phase.batch * chunk.phase.batches_per_step)

    def judge(self, state: State, step: int) -> None:
        """Rows of metrics.jsonl with what config.eval asks for, and a line of them on the console."""
        warn = lambda text: self.say(f"warning: step {step:,}: {text}")  # noqa: E731
        try:
            rows, images = self.schedule.evaluate(state, step, warn)
        except InputError as error:  # a doubtful number is no reason to lose a run
            return self.say(f"warning: step {step:,} could not be judged: {error}")
        run_on_main(lambda: self._keep(rows, images, step))

    def _keep(self, rows, images, step):
        values = {name: value for row in rows for name, value in row["values"].items()}
        self.say(f"step {step:,}: {', '.join(f'{name} {number(value)}' for name, value in values.items())}")
        for row in rows:
            self.workdir.log(row)
        for name, image in images.items():
            figures.save_png(self.workdir.path / name, image)
        for name, value in values.items() if self.writer else ():
            self.writer.add_scalar(name, value, step)

    def save(self, state: State) -> None:
        """A checkpoint, unless there is one of this step; beside it what the rows to come need of the steps so far."""
        self.checkpoints.save(
            state,
            {"pending": self.pending, "seconds": self.seconds, "logged": self.logged, "judged": self.schedule.spent},
        )

    def log(self, step: int, images: int) -> None:
        """A row of metrics.jsonl: each metric's mean over the steps since the last row, and the monitor's lines."""
        steps = max(map(len, self.pending.values()))
        means = {name: float(np.mean(values, dtype=np.float64)) for name, values in self.pending.items()}
        speed = round(steps * images / max(self.seconds - self.logged, 1e-9), 1)
        row = {"step": step, "seconds": round(self.seconds, 3), "images_per_second": speed, **means}
        if lines := self.monitor.read(row):
            row[WARNINGS] = lines
        self.workdir.log(row)
        for line in lines:
            self.say(line)
        if self.writer:
            for name, value in means.items():
                self.writer.add_scalar(name, value, step)
        self.pending, self.logged = {}, self.seconds

    def sample(self, state: State, step: int) -> None:
        """What the task makes of the seeds 0, 1, 2, ..., and of examples that it was not trained on."""
        state = local(state)
        if "sample" in self.task.outputs:
            self._generate(state, step)
        if "reconstruct" in self.task.outputs:
            self._reconstruct(state, step)
        if "stylize" in self.task.outputs:
            self._stylize(state, step)

    def _generate(self, state: State, step: int) -> None:
        """The image of the seeds: the one that `genjax.sample` makes of this step's checkpoint."""
        examples = apply_in_batches(self.task.outputs["sample"], state, np.arange(self.config.samples, dtype=np.int32))
        reference = self.source.read(np.arange(min(self.source.size, 2000))) if examples.ndim == 2 else None
        classes = self.task.classes
        self._keep_image("samples", step, lambda: gallery.draw(examples, reference=reference, classes=classes))
        if step and (value := self._diversity(examples)) is not None:  # nothing is expected of the first weights
            self.pending.setdefault(DIVERSITY, []).append(value)

    def _reconstruct(self, state: State, step: int) -> None:
        """Originals over reconstructions, among the samples where there are no others."""
        rows = restored(self.task, state, self.examples)
        folder = "reconstructions" if "sample" in self.task.outputs else "samples"
        self._keep_image(folder, step, lambda: reconstructions.draw(*rows), reconstructions.caption(len(rows)))

    def _stylize(self, state: State, step: int) -> None:
        """Contents over styles over what the task makes of the two."""
        made = apply_in_batches(self.task.outputs["stylize"], state, self.examples)
        rows = *np.split(self.examples, 2, 1), quantize(made)
        self._keep_image("samples", step, lambda: reconstructions.bands(rows), "contents over styles over their union")

    def _keep_image(self, folder: str, step: int, draw: Callable[[], Any], title: str = "") -> None:
        """Draw and save an image. One that cannot be drawn is skipped, with one line per folder: training goes on."""
        try:
            image = draw()
        except Exception as error:  # whatever a net gave or a drawing raises
            if folder not in self.undrawn:
                self.say(f"step {step:,}: no images in {folder}/, they cannot be drawn ({error})")
                self.undrawn.add(folder)
            return
        figures.save_png(self.workdir.path / folder / f"step_{step:08d}.png", image, title)
        if self.writer:
            self.writer.add_image(folder, np.asarray(image.convert("RGB")), step, dataformats="HWC")

    @cached_property
    def _diversity(self):
        return diversity(self.source, self.config.samples)

    def _examples(self) -> np.ndarray:
        """The first held-out examples, or of the data where none are held out; as many points as a plot can take."""
        config = self.config
        heldout = self.schedule.heldout or sources.heldout(
            config.data.name, config.eval.heldout, config.data, self.source.fingerprint
        )
        source = heldout or self.source
        return source.read(np.arange(min(source.size, self.config.samples if len(source.shape) == 3 else POINTS)))

    def report(self) -> None:
        """The page, the curves and the samples' evolution."""
        html.write(self.workdir.path)  # and with it curves.png and samples.gif
        if self.writer:
            self.writer.flush()
        self.reported = time.monotonic()

    def _frames(self, folder: str) -> list[Path]:
        return sorted((self.workdir.path / folder).glob("step_*.png"))

    def files(self) -> Iterator[Path]:
        """The files to look at."""
        for folder in ("samples", "reconstructions"):
            yield from self._frames(folder)[-1:]
        yield from (
            path for name in ("samples.gif", "curves.png", "report.html") if (path := self.workdir.path / name).exists()
        )
