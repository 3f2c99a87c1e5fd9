"""A run's folder before its first step: what is there of it, its recorder, and the lines that it begins with."""

import contextlib
import platform
from collections.abc import Callable
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from genjax import data
from genjax.config import differences
from genjax.engine import distributed
from genjax.engine.checkpoint import Checkpoints, Newest
from genjax.engine.distributed import all_gather_json, collective, is_main_process, run_on_all, run_on_main
from genjax.engine.phase import Task
from genjax.errors import InputError
from genjax.evaluation.schedule import EvalSchedule
from genjax.report.console import say_notes
from genjax.run import trackers
from genjax.run.backup import Backup
from genjax.run.best import description, resumed
from genjax.run.counters import Counters
from genjax.run.description import run_info
from genjax.run.pace import Pace
from genjax.run.previews import Previewer, read_examples
from genjax.run.recorder import Recorder
from genjax.run.resume import check_nothing_is_lost, check_same_run, with_names_kept
from genjax.run.sinks import Console, Files, Sink
from genjax.run.stop import Stop
from genjax.run.workdir import Workdir


class Opened(NamedTuple):
    """A run whose folder is held and checked: what is there of it, and what it is made of."""

    config: ConfigDict
    source: data.Source
    task: Task
    schedule: EvalSchedule
    workdir: Workdir
    info: dict[str, Any]  # of config.json
    notes: list[str]  # lines to say when it begins
    checkpoints: Checkpoints
    newest: Newest


@collective
def open_run(config: ConfigDict, prepared: tuple, workdir: Workdir, force: bool, backup: Backup | None) -> Opened:
    """Look for a run in a folder that is held; `prepared` is what `prepare` returned.

    Raises: InputError if the folder holds another run, or something that was saved would be lost.
    """
    source, task, schedule = prepared
    if is_main_process():
        say_notes(source, schedule.heldout)
    info = run_info(config, source, task)
    check_processes_agree(info)
    notes = run_on_main(lambda: check_same_run(workdir, info, force))
    notes += run_on_main(lambda: _fetched(workdir, backup, info, force))
    checkpoints = Checkpoints(workdir.path / "checkpoints", config.keep)
    message = "another process was lost; restart all processes to resume"
    distributed.on_peer_lost(lambda: f"{message}\n{last_good(checkpoints)}")
    newest = checkpoints.newest()
    run_on_main(lambda: check_nothing_is_lost(workdir, newest, force))
    return Opened(config, source, task, schedule, workdir, info, notes, checkpoints, newest)


@collective
def make_recorder(
    run: Opened,
    say: Callable[[str], None],
    stop: Stop,
    at_end: contextlib.ExitStack,
    tensorboard: bool = False,
    backup: Backup | None = None,
) -> Recorder:
    """The recorder of a run; its lines go to `say`, and its sinks are closed with `at_end`."""
    config, source, task, schedule = run[:4]
    examples = run_on_all(lambda: read_examples(config, source, task, schedule.heldout))
    sinks = _sinks(config, run.workdir, say, tensorboard) if is_main_process() else []
    for sink in sinks:
        at_end.callback(sink.close)
    previewer = Previewer(config, source, task, examples)
    pace = Pace(all_gather_json(platform.node()))
    counters = resumed(Counters.from_json(run.newest.metadata), schedule.criterion)
    return Recorder(
        config, task, run.workdir, run.checkpoints, schedule, previewer, counters, sinks, stop, pace, backup
    )


@collective
def begin_run(run: Opened, recorder: Recorder, start: int, force: bool) -> list[str]:
    """Write config.json, and drop the records that will be written again; the lines to say."""
    workdir, newest = run.workdir, run.newest
    resumes = newest.step is not None
    notes = list(run.notes)
    if force and not resumes:
        notes += run_on_main(lambda: _set_aside(workdir, newest))
    run_on_main(lambda: workdir.begin(with_names_kept(workdir, run.info), newest.step, description(recorder.counters)))
    dropped = run_on_main(lambda: recorder.forget_after(start if resumes else -1))
    return [*notes, *_beginning(newest, run.task.steps, dropped, recorder.stops)]


def _fetched(workdir: Workdir, backup: Backup | None, info: dict[str, Any], force: bool) -> list[str]:
    """Bring a run back from its backup, if there is one; lines on it."""
    return backup.fetch(workdir, lambda there: check_same_run(there, info, force)) if backup else []


def _set_aside(workdir: Workdir, newest: Newest) -> list[str]:
    """Move an old run out of the way of one that begins; a line that says where, if there was one."""
    if workdir.read_info() or newest.damaged or any(workdir.records_after(-1)):
        return [f"the old run is now in {workdir.set_aside()}"]
    return []


def _beginning(newest: Newest, steps: int, dropped: str, stops: str) -> list[str]:
    """Lines on where a run goes on, and what is not used of its checkpoints and records."""
    if newest.step is None:
        return [f"no checkpoint had been saved: beginning at step 0 again, without {dropped}"] if dropped else []
    lines = [f"warning: {text}; renamed to .damaged, and the one before it is used" for text in newest.damaged]
    line = f"all {newest.step:,} steps are done" if newest.step >= steps else f"going on from step {newest.step:,}"
    if stops and newest.step < steps:
        line = f"the run has stopped at step {newest.step:,}"
    return [*lines, line + (f"; records after it are written again: {dropped}" if dropped else "")]


def _sinks(config: ConfigDict, workdir: Workdir, say: Callable[[str], None], tensorboard: bool) -> list[Sink]:
    return [Files(workdir), Console(say), *trackers.sinks(config, tensorboard, workdir, say)]


def last_good(checkpoints: Checkpoints) -> str:
    """The newest checkpoint and where it is, in words."""
    steps = checkpoints.steps()
    newest = f"the last good checkpoint is of step {steps[-1]:,}" if steps else "there is no checkpoint yet"
    return f"{newest}, in {checkpoints.folder}"


@collective
def check_processes_agree(info: dict[str, Any]) -> None:
    """Refuse processes that would not compute the same. Raises: InputError with the differences."""
    infos = all_gather_json({part: info[part] for part in ("config", "data", "files", "extensions", "versions")})
    for process, other_info in enumerate(infos):
        if changes := list(differences(infos[0], other_info)):
            raise InputError(f"processes 0 and {process} differ:\n  " + "\n  ".join(changes))
