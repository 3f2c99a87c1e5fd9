"""Several seeds of one config in one program, with a run's folder for each, as if trained alone.

Up to rounding, each is the run of its seed: products of several seeds are computed together. All take every step
together, stop together and resume together; resumed, they end at the bits of those that were not stopped.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import jax
from jax.sharding import Mesh
from ml_collections import ConfigDict

from genjax.data.feed import Feed, FeedOfSeeds
from genjax.data.mirrored import trained_on
from genjax.engine import loop, seeds
from genjax.engine.checkpoint import Newest
from genjax.engine.loop import CallResult
from genjax.engine.mesh import make_mesh
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.report.console import Progress, watch
from genjax.run import initial_weights
from genjax.run.exported import refuse
from genjax.run.opening import Opened, begin_run, make_recorder, open_run
from genjax.run.recorder import Recorder
from genjax.run.stop import Interrupted, Stop
from genjax.run.training import boundaries, fail, prepare
from genjax.run.workdir import Workdir


def folders(path: os.PathLike, first: int, count: int) -> dict[int, Path]:
    """The folder of each of `count` seeds: seed_<n> in `path`. Raises: InputError if that holds a run itself."""
    if (Path(path) / "config.json").exists():
        raise InputError(f"{path} holds a run: several seeds are written to folders in one that holds none")
    return {seed: Path(path) / f"seed_{seed}" for seed in range(first, first + count)}


def train(
    config: ConfigDict, folders: Mapping[int, os.PathLike], force: bool = False, tensorboard: bool = False
) -> int:
    """Train seeds of a config, each in its folder; the exit code.

    `force`: resume although the config, data or extensions have changed.
    Raises: InputError if the config cannot be run this way, or a folder is in use, holds another run, or one that is
    at another step than the others.
    """
    numbers = tuple(folders)
    count = len(numbers)
    check(config, count)
    source, task, schedule = prepare(config)
    with Stop() as stop, contextlib.ExitStack() as at_end:
        runs = []
        for number, folder in folders.items():
            refuse(folder)
            one = ConfigDict(config.to_dict() | {"seed": number})
            workdir = at_end.enter_context(Workdir(folder))
            runs.append(open_run(one, (source, task, schedule), workdir, force, None))
            runs[-1].info["together"] = list(numbers)
        runs = _at_one_step(runs)
        mesh = make_mesh()
        states, lines = _states(runs, numbers, mesh)
        start = int(states.step)
        progress = Progress(task.steps, start)
        recorders = [
            make_recorder(run, partial(_say, progress, number), stop, at_end, tensorboard)
            for run, number in zip(runs, numbers, strict=True)
        ]
        feed = Feed(
            trained_on(config.data, source), config.seed, mesh, config.data.resident_gib * 2**30, config.data.workers
        )
        try:
            with stop.giving_up():
                schedule.extract_reference(watch)
        except Interrupted:
            return _end(start, stop.signal, recorders)
        try:
            for run, recorder in zip(runs, recorders, strict=True):
                lines += begin_run(run, recorder, start, force)
            with progress:
                for line in dict.fromkeys(lines):
                    progress.say(line)
                for recorder, state in zip(recorders, seeds.split(states, count), strict=True):
                    if not start:
                        recorder.preview(state, 0)
                    recorder.catch_up(state)
                calls = loop.train(task, states, FeedOfSeeds(feed, numbers), numbers, mesh, boundaries(config))
                with contextlib.closing(calls):
                    step = _follow(calls, start, recorders, progress, stop)
            for recorder in recorders:
                recorder.report()
        except (loop.Diverged, OSError) as error:
            return fail(error, recorders[0])
    return _end(step, stop.signal, recorders)


def check(config: ConfigDict, count: int) -> None:
    """Refuse seeds that cannot be trained together. Raises: InputError."""
    if count < 2:
        raise InputError(f"{count} seed: expected 2 or more to train together; one is the key `seed`")
    if jax.device_count() > 1 or jax.process_count() > 1:
        raise InputError(
            f"{count} seeds train together on one device, but there are {jax.device_count()}: let a process "
            "see one alone (CUDA_VISIBLE_DEVICES=0), or train one seed per process (experiments.run)"
        )
    if config.eval.patience:
        raise InputError(f"{count} seeds train together: eval.patience would stop them at different steps; set it to 0")


def _at_one_step(runs: list[Opened]) -> list[Opened]:
    """The runs at the newest step that all have saved. Raises: InputError if one has none, or a run is further."""
    newest = {run.newest.step for run in runs}
    if len(newest) == 1:
        return runs
    intact = [{step for step in run.checkpoints.steps() if step <= (run.newest.step or -1)} for run in runs]
    common = set.intersection(*intact)
    lost = [run for run in runs if (run.newest.step or 0) - max(common, default=0) > run.config.save_every]
    if lost or (not common and max(filter(None, newest)) > runs[0].config.save_every):
        steps = ", ".join(f"{run.workdir.path.name} at {run.newest.step or 0:,}" for run in runs)
        raise InputError(
            f"the seeds are at different steps ({steps}): those that train together begin and resume together; take "
            "another --workdir, or resume a seed alone, by its folder"
        )
    if not common:  # killed between the first saves: all begin again
        return [run._replace(newest=Newest(None, {}, [])) for run in runs]
    step = max(common)
    return [run._replace(newest=Newest(step, run.checkpoints.metadata(step), run.newest.damaged)) for run in runs]


def _states(runs: list[Opened], numbers: tuple[int, ...], mesh: Mesh) -> tuple[State, list[str]]:
    """The states to go on from, as one, and lines on where first weights are from."""
    like = loop.abstract_state(runs[0].task, mesh)
    step = runs[0].newest.step
    if step is not None:
        return seeds.stack([run.checkpoints.read(step, like) for run in runs]), []
    states = loop.initial_state(runs[0].task, numbers, mesh)
    initial = initial_weights.find(runs[0].config, like)
    if not initial:
        return states, []
    for run in runs:
        run.info["init"] = initial.record
    return seeds.stack([initial.into(state) for state in seeds.split(states, len(runs))]), list(initial.lines)


def _say(progress: Progress, number: int, text: str) -> None:
    progress.say(f"seed {number}: {text}")


def _follow(calls, step: int, recorders: list[Recorder], progress: Progress, stop: Stop) -> int:
    """Record calls of the loop until its end or a signal; the last step."""
    phase = None
    count = len(recorders)
    for result in calls:
        if result.phase is not phase:
            phase = result.phase
            progress.phase(phase.name, phase.batch * phase.batches_per_step * count)
        step = result.step
        states = seeds.split(result.state, count)
        for i, recorder in enumerate(recorders):
            metrics = {name: values[:, i] for name, values in result.metrics.items()}
            reading = tuple(seconds / count for seconds in result.reading)
            recorder.record(CallResult(phase, result.first, states[i], metrics, result.seconds / count, reading))
        means = {name: sum(r.newest[name] for r in recorders) / count for name in recorders[0].newest}
        progress.update(step, means)
        if stop.signal:
            for recorder, state in zip(recorders, states, strict=True):
                recorder.save(state)
            break
    return step


def _end(step: int, signal_number: int, recorders: list[Recorder]) -> int:
    """Say how the runs ended; the exit code."""
    steps = recorders[0].task.steps
    if step >= steps or not signal_number:
        print("look at:", *(recorder.workdir.path / "report.html" for recorder in recorders), sep="\n  ")
        return 0
    name = signal.Signals(signal_number).name
    if not step:
        print(f"{name}: stopped before the first step; start it again", file=sys.stderr)
        return 128 + signal_number
    print(f"{name}: all seeds are saved at step {step:,} of {steps:,}; the same command resumes", file=sys.stderr)
    return 128 + signal_number
