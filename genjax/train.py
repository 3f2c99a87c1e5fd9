"""Train a config: python -m genjax.train --config=configs/dcgan.py --workdir=runs/x --config.steps=2000

Any key of the config is a flag: --config.batch=64, --config.data.name=folder:photos (--dry_run lists them all), and
--config=configs/dcgan.py:smoke is a variant that finishes in seconds. In the folder of a run, training resumes where
it stopped, and --config may be omitted. `genjax train demo` is --config=demo --workdir=runs/demo, and the folder of a
run in the place of a name resumes it. Several processes train together with --distributed.
"""

import gc
import re
import sys
from pathlib import Path

from absl import flags
from ml_collections import config_flags

from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    config_flags.DEFINE_config_file(
        "config",
        None,
        "The experiment: a file, a name of configs/, as dcgan (':smoke' for a quick try), or the folder of a run.",
    )
    define_path("workdir", None, "The folder of a new run or of one to resume. See docs/architecture.md.")
    flags.DEFINE_enum(
        "resume",
        "auto",
        ["auto", "force"],
        "force: resume although the config, the data or the code of an extension changed.",
    )
    flags.DEFINE_bool("dry_run", False, "Print the config, the parameters, the phases and the memory needed, and stop.")
    flags.DEFINE_bool("tensorboard", False, "The same as tensorboard in log.trackers: event files.")
    flags.DEFINE_integer(
        "seeds",
        None,
        "Train as many seeds together in one program, from the key `seed` on, in folders seed_0, seed_1, ... of "
        "--workdir. See docs/experiments.md.",
        lower_bound=2,
    )
    flags.DEFINE_string(
        "backup",
        None,
        "gs://BUCKET/FOLDER: copy the run there after every save, and begin there if --workdir has no checkpoint. See "
        "docs/operators.md.",
    )
    flags.DEFINE_bool(
        "distributed",
        False,
        "Join a run of several processes, started by Slurm, Open MPI, Kubernetes or on TPUs, or described by the next "
        "three flags. See docs/distributed.md.",
    )
    flags.DEFINE_string("coordinator", None, "HOST:PORT of process 0, the same in every process.")
    flags.DEFINE_integer("process_id", None, "Number of this process, from 0 to num_processes - 1.", lower_bound=0)
    flags.DEFINE_integer("num_processes", None, "Number of processes of the run.", lower_bound=1)


def with_flags(argv: list[str]) -> list[str]:
    """The command line with a first word that is no flag as flags: a config and its folder below runs/, or a run."""
    expanded = entry.positional(argv, "config")
    if expanded == argv:
        return argv
    if (Path(argv[1]) / "config.json").is_file():
        return entry.positional(argv, "workdir")
    if any(re.match("--?(workdir|dry_run)", word) for word in argv):
        return expanded
    path, _, variant = argv[1].partition(":")
    return [*expanded, f"--workdir=runs/{'_'.join(filter(None, (Path(path).stem, variant)))}"]


def main() -> int:
    """Train what the flags ask for; the exit code."""
    from genjax.engine import distributed
    from genjax.engine.compiler import enable_compilation_cache

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
    from genjax.run import together
    from genjax.run.backup import Backup
    from genjax.run.restore import open_config
    from genjax.run.training import train
    from genjax.run.workdir import Workdir

    gc.freeze()  # what was imported stays
    if not FLAGS.workdir and not FLAGS.dry_run:
        raise InputError("--workdir is needed: the folder that the run is to be written to, such as --workdir=runs/x")
    config = FLAGS.config
    if config is None:
        if not (FLAGS.workdir and Workdir(FLAGS.workdir).config_file.exists()):
            raise InputError(
                "--config is needed, such as --config=configs/dcgan.py (only a run that is resumed has its own)"
            )
        _, config = open_config(FLAGS.workdir)
    if FLAGS.seeds is not None and FLAGS.backup:
        raise InputError("--backup copies one run: it cannot be combined with --seeds")
    if FLAGS.dry_run:
        _dry_run(config, FLAGS.seeds)
        return 0
    if FLAGS.seeds is not None:
        folders = together.folders(FLAGS.workdir, config.seed, FLAGS.seeds)
        return together.train(config, folders, FLAGS.resume == "force", FLAGS.tensorboard)
    backup = Backup(FLAGS.backup) if FLAGS.backup else None
    return train(config, FLAGS.workdir, FLAGS.resume == "force", FLAGS.tensorboard, backup, report_ahead=True)


def _dry_run(config, seeds: int | None) -> None:
    """Print what a run of a config would be, and take; of several seeds, one of them and what all share."""
    from genjax.engine import loop
    from genjax.engine.distributed import is_main_process
    from genjax.run import initial_weights, together
    from genjax.run.description import dry_run_report
    from genjax.run.training import prepare

    if seeds is not None:
        together.check(config, seeds)
    source, task, _ = prepare(config)
    initial = initial_weights.find(config, loop.shapes(task))
    if is_main_process():
        parts = [dry_run_report(config, source, task)]
        if seeds is not None:
            parts.append(f"{seeds} seeds: {seeds} times these operations and this state, on the data held once")
        print("\n\n".join([*parts, *(["\n".join(initial.lines)] if initial else [])]))


if __name__ == "__main__":
    define_flags()
    entry.run(main, with_flags)
