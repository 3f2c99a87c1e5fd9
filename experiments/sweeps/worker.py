"""One run of a sweep in a process of its own: python -m experiments.sweeps.worker --run=FOLDER --cores=0,1

FOLDER has the run's sweep.json. Training goes on from the newest checkpoint; what was trained but stopped before its
evaluation is evaluated. On a cluster, --claim=2 takes the place of --cores (see `machine`).
"""

import json
import os
import sys
from pathlib import Path

from absl import flags

from experiments.sweeps import machine
from experiments.sweeps.process import FILE
from genjax.cli import entry
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("run", None, "The run's folder.", required=True)
    flags.DEFINE_list("cores", [], "The processor's cores that it may use; default: all.")
    flags.DEFINE_integer(
        "claim",
        0,
        "On a cluster: number of cores, of those that no other run has claimed.",
        lower_bound=0,
    )


def main() -> int:
    """Train and evaluate; the exit code (see `genjax.cli`)."""
    if FLAGS.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, FLAGS.cores))  # before any library counts the cores for its threads
    if FLAGS.claim:
        machine.end_with_parent()
        _cores = machine.claim(FLAGS.claim)  # held until the end
        machine.wait_for(Path(FLAGS.run))
    from genjax.engine.compiler import enable_compilation_cache

    enable_compilation_cache()
    return work(Path(FLAGS.run))


def work(folder: Path) -> int:
    """Bring a run to its end; the exit code.

    Raises: InputError if it cannot be run or evaluated.
    """
    from experiments.sweeps import outcome
    from genjax.run import together, training
    from genjax.run.restore import saved_config

    info = json.loads((folder / FILE).read_text("utf-8"))
    config = saved_config(info)
    folders = {int(seed): folder.parent / name for seed, name in info.get("together", {}).items()}
    code = together.train(config, folders) if folders else training.train(config, folder)
    if not code and config.eval.every:
        _, task, schedule = training.prepare(config)
        for each in folders.values() or [folder]:
            if not outcome.is_evaluated(each, config, task.steps):
                evaluate(each, schedule, task.steps)
    return code


def evaluate(folder: Path, schedule, step: int) -> None:
    """The evaluation at the end of training, for a run that was stopped before it. Raises: InputError."""
    from genjax.report import figures
    from genjax.run.restore import restore
    from genjax.run.workdir import Workdir

    _, state = restore(folder, step)
    rows, images, _ = schedule.evaluate(state, step, lambda text: print(f"warning: {text}", file=sys.stderr))
    if not rows:
        raise InputError(f"none of eval.metrics={schedule.config.metrics!r} applies to this run")
    for row in rows:
        Workdir(folder).log(row)
    for name, image in images.items():
        figures.save_png(folder / name, image)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
