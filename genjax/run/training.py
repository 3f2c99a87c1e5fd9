"""Training in a run's folder: checks, the newest checkpoint, the loop, and how a run ends."""

import contextlib
import shlex
import signal
import sys
from functools import partial

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax import data, tasks
from genjax.config import check
from genjax.data import workers
from genjax.data.feed import Feed
from genjax.data.mirrored import trained_on
from genjax.engine import distributed, loop
from genjax.engine.distributed import all_gather_json, collective, is_main_process, run_on_all, run_on_main
from genjax.engine.mesh import check_batch, make_mesh
from genjax.engine.phase import Task
from genjax.errors import InputError
from genjax.evaluation.schedule import EvalSchedule
from genjax.report.console import Progress, watch
from genjax.run import initial_weights, trackers
from genjax.run.backup import Backup
from genjax.run.exported import refuse
from genjax.run.opening import begin_run, last_good, make_recorder, open_run
from genjax.run.recorder import Recorder
from genjax.run.stop import Interrupted, Stop
from genjax.run.workdir import Workdir


def prepare(config: ConfigDict) -> tuple[data.Source, Task, EvalSchedule]:
    """Load the data and build the task: everything that can be refused is, before anything is compiled.

    Raises: InputError.
    """
    check(config, tasks.default_config(config.task))
    trackers.names(config)
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    task.files()
    _check_labels(config.get("classes", 0), source)
    check_tokens(config.get("vocabulary", 0), source)
    trained = trained_on(config.data, source)
    workers.check(config.data.workers, trained, streamed=trained.nbytes > config.data.resident_gib * 2**30)
    examples = trained.size
    for phase in task.phases:
        if phase.subset > examples:
            raise InputError(f"{phase.subset:,} examples are more than the {examples:,} of {source.name}")
        if phase.batch > (size := phase.subset or examples):
            raise InputError(f"batch={phase.batch} is more than the {size:,} examples of {source.name}")
        check_batch(phase.batch, jax.device_count())
    return source, task, EvalSchedule(config, source, task)


def check_tokens(vocabulary: int, source: data.Source) -> None:
    """Refuse data that are not tokens from 0 to vocabulary - 1; of no vocabulary, any data. Raises: InputError."""
    if not vocabulary:
        return
    step = 65536
    for start in range(0, source.size, step):
        x = source.read(np.arange(start, min(start + step, source.size)))
        bad = np.argwhere(~((x >= 0) & (x < vocabulary) & (x == np.floor(x))))
        if len(bad):
            number, place, _ = bad[0].tolist()
            raise InputError(
                f"sequence {start + number} of {source.name} has {x[tuple(bad[0])]:g} at step {place}: expected a "
                f"whole number from 0 to {vocabulary - 1} at every step, with vocabulary={vocabulary}"
            )


def _check_labels(classes: int, source: data.Source) -> None:
    """Refuse data whose labels are not the classes from 0 to classes - 1, each with examples. Raises: InputError."""
    if not classes:
        return
    if source.labels is None:
        raise InputError(
            f"classes={classes}, but {source.name} has no labels: choose a set that has, or sort images into folders"
            + "".join(f" ({note})" for note in source.notes if note.startswith("no labels"))
        )
    low, high = source.labels.min(), source.labels.max()
    names = source.label_names or tuple(map(str, range(high + 1)))
    remedy = f"set classes={len(names)}" if len(names) > 1 else "a task with classes needs two or more"
    if low < 0 or high >= classes:
        raise InputError(
            f"classes={classes}, but the labels of {source.name} go from {low} to {high}: expected 0 to {classes - 1}; "
            f"{remedy} or choose other data"
        )
    if classes > len(names):
        listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise InputError(f"classes={classes}, but {source.name} has {len(names)} ({listed}): {remedy}")
    empty = np.flatnonzero(np.bincount(source.labels, minlength=classes) == 0)
    if len(empty):
        others = f" and {len(empty) - 1:,} more" if len(empty) > 1 else ""
        raise InputError(
            f"classes={classes}, but {source.name} {source.split} has no example of {names[empty[0]]!r}{others}: "
            "choose a split with examples of every class"
        )


@collective
def train(
    config: ConfigDict,
    path,
    force: bool = False,
    tensorboard: bool = False,
    backup: Backup | None = None,
    report_ahead: bool = False,
) -> int:
    """Train a config in a folder, from its newest checkpoint if there is one; the exit code (see `genjax.cli.entry`).

    `force`: resume although the run's config, data or extensions have changed. `backup`: where the run is copied to,
    and fetched from if the folder has no checkpoint. `report_ahead`: start a process that writes the first report.
    Raises: InputError if the config cannot be run, or the folder is in use or holds another run.
    """
    run_on_main(lambda: refuse(path))
    prepared = run_on_all(lambda: prepare(config))
    with Workdir(path) as workdir, Stop() as stop, contextlib.ExitStack() as at_end:
        run = open_run(config, prepared, workdir, force, backup)
        task, newest = run.task, run.newest
        mesh = make_mesh()
        resumes = newest.step is not None
        like = loop.abstract_state(task, mesh)
        initial = None if resumes else run_on_all(lambda: initial_weights.find(config, like))
        state = run.checkpoints.read(newest.step, like) if resumes else loop.initial_state(task, config.seed, mesh)
        if initial:
            state = initial.into(state)
            run.notes.extend(initial.lines)
            run.info["init"] = initial.record
        start = int(state.step)
        progress = Progress(task.steps, start, stream=distributed.console())
        recorder = make_recorder(run, progress.say, stop, at_end, tensorboard, backup)
        if report_ahead and is_main_process():
            at_end.enter_context(recorder.reporter)
        resident_bytes = config.data.resident_gib * 2**30
        feed = Feed(trained_on(config.data, run.source), config.seed, mesh, resident_bytes, config.data.workers)
        run.schedule.before_each = stop.agree
        try:
            with stop.giving_up():
                run.schedule.extract_reference(partial(watch, stream=distributed.console()))
        except Interrupted:
            return _end(start, max(all_gather_json(stop.signal)), recorder)
        try:
            lines = begin_run(run, recorder, start, force)
            with progress:
                for line in lines:
                    progress.say(line)
                if not resumes:
                    run_on_main(lambda: recorder.preview(state, 0))
                recorder.catch_up(state)
                with contextlib.closing(loop.train(task, state, feed, config.seed, mesh, boundaries(config))) as calls:
                    step, signal_number = _follow(calls, start, recorder, progress, stop)
            run_on_main(recorder.report)
            run_on_main(recorder.copy)
        except (loop.Diverged, OSError) as error:  # OSError: the disk is full, or lost
            if distributed.is_peer_lost(error):
                raise
            return fail(error, recorder)
    return _end(step, signal_number, recorder)


def boundaries(config: ConfigDict) -> tuple[int, ...]:
    """Steps at whose multiples something is due."""
    intervals = (config.log_every, config.sample_every, config.save_every)
    return (*intervals, config.eval.every) if config.eval.every else intervals


def _follow(calls, step: int, recorder: Recorder, progress: Progress, stop: "Stop") -> tuple[int, int]:
    """Record calls of the loop until its end or a signal; the last step and the signal's number, 0 if none came."""
    phase = None
    if recorder.counters.unevaluated:  # a signal has ended it again
        return step, max(all_gather_json(stop.signal))
    if recorder.stops:
        return step, 0
    for result in calls:
        if result.phase is not phase:
            phase = result.phase
            progress.phase(phase.name, phase.batch * phase.batches_per_step)
        step = result.step
        recorder.record(result)
        progress.update(step, recorder.newest)
        signal_number = max(all_gather_json(stop.signal))  # of any process
        if signal_number:
            recorder.save(result.state)
            return step, signal_number
        if recorder.stops:
            break
    return step, 0


def _end(step: int, signal_number: int, recorder: Recorder) -> int:
    """Say how the run ended; the exit code."""
    steps = recorder.task.steps
    path = recorder.workdir.path
    if step >= steps or not signal_number:
        if is_main_process():
            if step < steps:
                print(f"stopped at step {step:,} of {steps:,}: {recorder.stops}", file=sys.stderr)
            print("look at:", *recorder.files(), sep="\n  ")
        return 0
    if is_main_process():
        where = ", in every process" if jax.process_count() > 1 else ""
        name = signal.Signals(signal_number).name
        if step not in recorder.checkpoints.steps():
            print(f"{name}: stopped before the first step; start it again", file=sys.stderr)
            return 128 + signal_number
        print(f"{name}: saved at step {step:,} of {steps:,}; to resume{where}:", file=sys.stderr)
        flags = f" --backup={shlex.quote(recorder.backup.url)}" if recorder.backup else ""
        print(f"  python -m genjax.train --workdir={shlex.quote(str(path))}{flags}", file=sys.stderr)
    return 128 + signal_number


def fail(error: Exception, recorder: Recorder) -> int:
    """Say why the run failed and where the last good checkpoint is; the exit code."""
    message = str(error)
    if isinstance(error, OSError) and error.strerror:
        message = f"{error.filename or recorder.workdir.path} cannot be written: {error.strerror}"
    source = recorder.previewer.source
    if isinstance(error, loop.Diverged) and len(source.shape) == 2 and np.isnan(source.read(range(source.size))).any():
        message += (
            "; series end in NaN, which needs a task that skips it, as those of configs/ae_recurrent.py and "
            "configs/timegan.py do"
        )
    print(f"error: {message}\n{last_good(recorder.checkpoints)}", file=sys.stderr)
    with contextlib.suppress(OSError):
        if is_main_process():
            recorder.report()
    return 1
