"""Train: python -m genjax.train --config=configs/dcgan.py --workdir=runs/x --config.steps=2000

Any key of the config is a flag: --config.batch=64, --config.data.name=folder:photos (--dry_run lists them all), and
--config=configs/dcgan.py:smoke is a variant that finishes in seconds. On a folder that has a run, training goes on
where it stopped, and --config may be left out. Several processes train together with --distributed.
"""

import contextlib
import shlex
import signal
import sys
from functools import partial

import jax
from absl import flags
from ml_collections import ConfigDict, config_flags

from genjax import data, tasks
from genjax.cli import entry
from genjax.config import check, differences
from genjax.data.feed import Feed
from genjax.engine import distributed, loop
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.compiler import enable_compilation_cache
from genjax.engine.distributed import all_gather_json, is_main_process, run_on_all, run_on_main
from genjax.engine.mesh import check_batch, make_mesh
from genjax.engine.phase import Task
from genjax.errors import InputError
from genjax.evaluation.schedule import EvalSchedule
from genjax.report.console import Progress, watch
from genjax.run.description import dry_run_report, run_info
from genjax.run.recorder import Recorder
from genjax.run.restore import saved_config
from genjax.run.workdir import Workdir

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    config_flags.DEFINE_config_file(
        "config", None, "The experiment: a file of configs/, with ':smoke' for a quick try."
    )
    flags.DEFINE_string("workdir", None, "The run's folder; it is made, or gone on with. See docs/architecture.md.")
    flags.DEFINE_enum("resume", "auto", ["auto", "force"], "force: go on although the config or the data changed.")
    flags.DEFINE_bool("dry_run", False, "Print the config, the parameters, the phases and the memory needed, and stop.")
    flags.DEFINE_bool("tensorboard", False, "Write event files to the folder's tensorboard/ as well.")
    flags.DEFINE_bool(
        "distributed",
        False,
        "Be one of several processes of one run, as started by Slurm, Open MPI, Kubernetes or on TPUs, or as said by "
        "the next three. See docs/distributed.md.",
    )
    flags.DEFINE_string("coordinator", None, "HOST:PORT of process 0, the same in every process.")
    flags.DEFINE_integer("process_id", None, "Which process this is: 0, 1, ... up to --num_processes.", lower_bound=0)
    flags.DEFINE_integer("num_processes", None, "How many processes the run has.", lower_bound=1)


def main() -> int:
    """Train what the flags ask for; the exit code."""
    enable_compilation_cache()
    where = (FLAGS.coordinator, FLAGS.process_id, FLAGS.num_processes)
    if not FLAGS.distributed and where == (None, None, None):
        return _main()
    with distributed.session(*where):
        code = entry.guarded(_main)
        if code == 1:  # a fault, perhaps of this process alone: leave without waiting for the others
            sys.exit(code)
    return code


def _main() -> int:
    if not FLAGS.workdir and not FLAGS.dry_run:
        raise InputError("--workdir is needed: the folder that the run is to be written to, such as --workdir=runs/x")
    config = FLAGS.config
    if config is None:
        about = Workdir(FLAGS.workdir).read_info() if FLAGS.workdir else None
        if about is None:
            raise InputError(
                "--config is needed, such as --config=configs/dcgan.py (only a run to go on with has its own)"
            )
        config = saved_config(about)
    if FLAGS.dry_run:
        source, task, _ = prepare(config)
        if is_main_process():
            print(dry_run_report(config, source, task))
        return 0
    return train(config, FLAGS.workdir, force=FLAGS.resume == "force", tensorboard=FLAGS.tensorboard)


def prepare(config: ConfigDict) -> tuple[data.Source, Task, EvalSchedule]:
    """Everything that can be refused before anything is compiled. Raises: InputError."""
    check(config, tasks.default_config(config.task))
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    _check_labels(config.get("classes", 0), source)
    for phase in task.phases:
        if phase.subset > source.size:
            raise InputError(f"{phase.subset:,} examples are more than the {source.size:,} of {source.name}")
        if phase.batch > (size := phase.subset or source.size):
            raise InputError(f"batch={phase.batch} is more than the {size:,} examples of {source.name}")
        check_batch(phase.batch, jax.device_count())
    return source, task, EvalSchedule(config, source, task)


def _check_labels(classes: int, source: data.Source) -> None:
    """Refuse data that do not say of which class, from 0 to classes - 1, an example is."""
    if not classes:
        return
    if source.labels is None:
        raise InputError(
            f"classes={classes}, but {source.name} has no labels: choose a set that has, or sort images into folders"
        )
    low, high = source.labels.min(), source.labels.max()
    if low < 0 or high >= classes:
        raise InputError(
            f"classes={classes}, but the labels of {source.name} go from {low} to {high}: expected 0 to {classes - 1}; "
            f"set classes={high + 1} or choose other data"
        )


def train(config: ConfigDict, path, force: bool = False, tensorboard: bool = False) -> int:
    """Train a config in a folder, from its newest checkpoint if there is one; the exit code (see `genjax.cli`).

    Several processes call this together.
    Raises: InputError if the config cannot be run, or the folder holds a run of another config or is in use.
    """
    source, task, schedule = run_on_all(lambda: prepare(config))
    mesh = make_mesh()
    with Workdir(path) as workdir, Stop() as stop:
        about = run_info(config, source, task)
        _agree(about)
        run_on_main(lambda: _compare(workdir, about, force))
        checkpoints = Checkpoints(workdir.path / "checkpoints", config.keep)
        distributed.on_peer_lost(lambda: f"another process was lost; start all again to go on\n{_good(checkpoints)}")
        found = checkpoints.latest(loop.abstract_state(task, mesh), warn=_warn)
        state, metadata = found or (loop.initial_state(task, config.seed, mesh), {})
        step = start = int(state.step)
        recorder = Recorder(workdir, checkpoints, config, source, task, schedule, metadata, tensorboard)
        feed = Feed(source, config.seed, mesh, config.data.resident_gib * 2**30)
        every = (
            config.log_every,
            config.sample_every,
            config.save_every,
            *[config.eval.every] * bool(config.eval.every),
        )
        schedule.extract_reference(partial(watch, stream=distributed.console()))
        try:
            run_on_main(lambda: workdir.begin(about))
            run_on_main(lambda: recorder.forget_after(start if found else -1))
            with Progress(task.steps, start, stream=distributed.console()) as progress:
                recorder.say = progress.say
                if found:
                    done = start >= task.steps
                    progress.say(f"all {start:,} steps are done" if done else f"going on from step {start:,}")
                else:
                    run_on_main(lambda: recorder.sample(state, 0))
                phase, heard = None, 0
                for chunk in loop.train(task, state, feed, config.seed, mesh, every):
                    if chunk.phase is not phase:
                        phase = chunk.phase
                        progress.phase(phase.name, phase.batch * phase.batches_per_step)
                    step = chunk.step
                    recorder.record(chunk)
                    progress.update(step, recorder.newest)
                    heard = max(all_gather_json(stop.signal))  # by any process
                    if heard:
                        recorder.save(chunk.state)
                        break
            run_on_main(recorder.report)
        except (loop.Diverged, OSError) as error:  # the disk is full, or gone
            if distributed.is_peer_lost(error):
                raise
            return _fail(error, recorder)
    if step < task.steps:
        if is_main_process():
            name, several = signal.Signals(heard).name, ", in every process" * (jax.process_count() > 1)
            print(f"{name}: saved at step {step:,} of {task.steps:,}; to go on{several}:", file=sys.stderr)
            print(f"  python -m genjax.train --workdir={shlex.quote(str(path))}", file=sys.stderr)
        return 128 + heard
    if is_main_process():
        print("look at:", *recorder.files(), sep="\n  ")
    return 0


def _fail(error: Exception, recorder: Recorder) -> int:
    what = str(error)
    if isinstance(error, OSError) and error.strerror:
        what = f"{error.filename or recorder.workdir.path} cannot be written: {error.strerror}"
    print(f"error: {what}\n{_good(recorder.checkpoints)}", file=sys.stderr)
    with contextlib.suppress(OSError):
        if is_main_process():
            recorder.report()
    return 1


def _good(checkpoints: Checkpoints) -> str:
    steps = checkpoints.steps()
    good = f"the last good checkpoint is of step {steps[-1]:,}" if steps else "there is no checkpoint yet"
    return f"{good}, in {checkpoints.folder}"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def _agree(about: dict) -> None:
    """Refuse processes that would not do the same."""
    everywhere = all_gather_json({part: about[part] for part in ("config", "data", "versions")})
    for process, other in enumerate(everywhere):
        if changes := list(differences(everywhere[0], other)):
            raise InputError(f"processes 0 and {process} differ:\n  " + "\n  ".join(changes))


def _compare(workdir: Workdir, about: dict, force: bool) -> None:
    """Refuse to go on with a run of another config or on other data."""
    old = workdir.read_info()
    if old is None:
        return
    changes = [
        *differences(saved_config(old), about["config"]),
        *differences({"data": old["data"]}, {"data": about["data"]}),
    ]
    if changes and not force:
        raise InputError(
            f"{workdir.path} holds a run of another config:\n  " + "\n  ".join(changes) + "\n"
            "take another --workdir, or --resume=force to go on with it under the new config"
        )


class Stop:
    """SIGINT and SIGTERM as a wish to stop after the current call; a second one stops at once."""

    def __init__(self):
        self.signal = 0

    def __enter__(self):
        """Take over the signals."""
        self._old = {s: signal.signal(s, self._hear) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_):
        """Give them back."""
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _hear(self, number, _):
        if self.signal:
            sys.exit(128 + number)
        self.signal = number


if __name__ == "__main__":
    define_flags()
    entry.run(main)
