"""The records of a run as it goes: rows of metrics, previews, checkpoints, evaluations, the report."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_collections import ConfigDict

from genjax.engine.checkpoint import Checkpoints
from genjax.engine.distributed import collective, run_on_main
from genjax.engine.loop import CallResult
from genjax.engine.phase import Task, scheduled_phases
from genjax.engine.state import State, local
from genjax.errors import InputError
from genjax.evaluation.schedule import EvalSchedule
from genjax.report.reporter import Reporter
from genjax.run import best
from genjax.run.backup import Backup
from genjax.run.counters import Counters
from genjax.run.monitor import WARNINGS, Monitor
from genjax.run.pace import Pace
from genjax.run.previews import Previewer
from genjax.run.records import read_metrics
from genjax.run.sinks import Sink
from genjax.run.stop import Interrupted, Stop
from genjax.run.workdir import Workdir
from genjax.text import number

REPORT_SECONDS = 60.0
"""At a checkpoint, the report is written again if it is older than this."""


@dataclass
class Recorder:
    """Writes all that is due after each call of the loop to sinks. Processes other than the main one have no sinks.

    Methods that are not collective are called in the main process alone.
    """

    config: ConfigDict
    task: Task
    workdir: Workdir
    checkpoints: Checkpoints
    schedule: EvalSchedule
    previewer: Previewer
    counters: Counters
    sinks: Sequence[Sink]
    stop: Stop
    pace: Pace
    backup: Backup | None = None

    def __post_init__(self):
        """Start with nothing reported."""
        self.newest: dict[str, float] = {}  # metrics of the last step
        self._monitor = Monitor(self.config.task)
        self._ends = {scheduled.stop for scheduled in scheduled_phases(self.task)}
        self._undrawn: set[str] = set()  # folders whose previews cannot be drawn
        self.reporter = Reporter(self.workdir.path)
        self._reported = time.monotonic()

    def forget_after(self, step: int) -> str:
        """Drop everything that a run which resumes from `step` will write again. Returns: its description, or ""."""
        dropped = str(self.workdir.records_after(step))
        self.checkpoints.discard_after(step)
        self.workdir.forget_after(step)
        for row in read_metrics(self.workdir.metrics_file):
            self._monitor.read(row)
        return dropped

    @collective
    def record(self, result: CallResult) -> None:
        """Log, preview, evaluate and save, each if it is due at the end of a call; the best is always saved.

        So is the end of a phase: no signal is heard while the next one is compiled. An evaluation comes before the
        checkpoint of its step, whose totals count it; the last report may be drawn while the last one is saved.
        """
        step = result.step
        run_on_main(lambda: self._log_and_preview(result))
        decision = self.schedule.due(step, self.counters.seconds, self.counters.evaluation_seconds)
        self._line(decision.note)
        if decision.due:
            self.evaluate(result.state, step)
        is_best = self.counters.best.get("step") == step
        if is_best or self.stops or step in self._ends or step % self.config.save_every == 0:
            if step == self.task.steps:
                run_on_main(self.reporter.begin)
            self.save(result.state)
            run_on_main(self._report_if_old)

    @property
    def stops(self) -> str:
        """Why the run stops before its last step, in words; "" if it goes on."""
        return best.gave_up(self.config.eval.patience, self.counters)

    def _log_and_preview(self, result: CallResult) -> None:
        step = result.step
        self.counters.add(result.metrics, result.seconds)
        self.pace.add(result.reading)
        self.newest = {name: values[-1] for name, values in self.counters.pending.items()}
        last = step == self.task.steps
        if last or step % self.config.sample_every == 0:
            self.preview(result.state, step)
        if last or step % self.config.log_every == 0:
            self._log(step, result.phase.batch * result.phase.batches_per_step)

    def _log(self, step: int, images_per_step: int) -> None:
        """A row of metrics, with the monitor's lines."""
        shares = self.pace.shares(self.counters.seconds - self.counters.logged)
        row = self.counters.row(step, images_per_step)
        means = {name: value for name, value in row.items() if name not in ("step", "seconds", "images_per_second")}
        lines = self._monitor.read(row)
        if lines:
            row[WARNINGS] = lines
        if shares:
            row["reading"] = shares
            lines = [*lines, self.pace.line(shares)]
        for sink in self.sinks:
            sink.row(row)
            sink.scalars(step, means)
        for line in lines:
            self._line(line)

    def _line(self, text: str) -> None:
        for sink in self.sinks if text else ():
            sink.line(text)

    @collective
    def evaluate(self, state: State, step: int) -> None:
        """Write the results of an evaluation. One that fails is reported, and the run continues.

        One that a signal ends is made when the run goes on, as the next checkpoint says.
        """

        def warn(text):
            self._line(f"warning: step {step:,}: {text}")

        self.counters.unevaluated = True
        try:
            with self.stop.giving_up():
                evaluation = self.schedule.evaluate(state, step, warn)
        except Interrupted:
            return
        except InputError as error:
            self.counters.unevaluated = False
            return self._line(f"warning: step {step:,} could not be judged: {error}")
        self.counters.unevaluated = False
        self.counters.evaluation_seconds += evaluation.seconds
        run_on_main(lambda: self._write_evaluation(evaluation.rows, evaluation.images, step))
        if criterion := self.schedule.criterion:
            self._line(best.judge(criterion, evaluation.rows, step, self.counters))

    @collective
    def catch_up(self, state: State) -> None:
        """Make the evaluation of a checkpoint's step that a signal had ended, if there is one."""
        if self.counters.unevaluated:
            self.evaluate(state, int(state.step))
            if self.counters.best.get("step") == int(state.step):
                self.save(state)

    def _write_evaluation(self, rows, images, step):
        values = {name: value for row in rows for name, value in row["values"].items()}
        self._line(f"step {step:,}: {', '.join(f'{name} {number(value)}' for name, value in values.items())}")
        for sink in self.sinks:
            for row in rows:
                sink.row(row)
            for name, image in images.items():
                sink.image(name, image)
            sink.scalars(step, values)

    @collective
    def save(self, state: State) -> None:
        """Save a checkpoint, with the metrics accumulated since the last row; the best one stays."""
        self.checkpoints.save(state, self.counters.to_json(), spare=(self.counters.best.get("step"),))
        run_on_main(lambda: self.workdir.record_saved(int(state.step), best.description(self.counters)))
        run_on_main(self.copy)

    def copy(self) -> None:
        """Copy what is new in the folder to the backup, if there is one; a failure is a warning."""
        if self.backup:
            self._line(self.backup.copy(self.workdir.path))

    def preview(self, state: State, step: int) -> None:
        """Write the task's previews. One that cannot be drawn is reported once, and training continues."""
        for preview in self.previewer.previews(local(state), step):
            for name, value in preview.metrics.items():
                self.counters.pending.setdefault(name, []).append(value)
            try:
                image = preview.draw()
            except Exception as error:  # a drawing may raise anything, of whatever a net computes
                if preview.folder not in self._undrawn:
                    self._line(f"step {step:,}: no images in {preview.folder}/, they cannot be drawn ({error})")
                    self._undrawn.add(preview.folder)
                continue
            for sink in self.sinks:
                sink.preview(preview.folder, step, image, preview.title)

    def report(self) -> None:
        """Write report.html, curves.png and samples.gif."""
        self.reporter.write()
        for sink in self.sinks:
            sink.flush()
        self._reported = time.monotonic()

    def _report_if_old(self) -> None:
        if time.monotonic() - self._reported > REPORT_SECONDS:
            self.report()

    def files(self) -> Iterator[Path]:
        """The files to look at."""
        for folder in ("samples", "reconstructions"):
            yield from sorted((self.workdir.path / folder).glob("step_*.png"))[-1:]
        for name in ("samples.gif", "curves.png", "report.html"):
            if (path := self.workdir.path / name).exists():
                yield path
