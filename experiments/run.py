"""Run an experiment: python -m experiments.run experiments/ablations/ema.py --workdir=runs/ema --jobs=2

Trains every variant with every seed, several at a time. Finished runs are skipped and stopped ones resume. Writes
results.csv, results.md and results.png after each run. --on=slurm and --on=ray hand the runs to a cluster. See
docs/experiments.md.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import jax
from absl import flags

from experiments.sweeps import launch, on_local, on_ray, on_slurm, outcome, results
from experiments.sweeps.executor import Executor
from experiments.sweeps.experiment import Experiment, load
from experiments.sweeps.plan import Run, plan, programs
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.errors import InputError, did_you_mean
from genjax.run.workdir import Workdir
from genjax.text import table

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("experiment", None, "The experiment's file; may also be the first argument.")
    define_path("workdir", None, "The folder of the runs and of the results; default: runs/<the file's name>.")
    flags.DEFINE_enum("on", "local", ("local", "slurm", "ray"), "What carries the runs out; see docs/experiments.md.")
    flags.DEFINE_integer(
        "jobs",
        None,
        "Number of runs at a time, each on its share of the cores; default: 1. On a cluster: of those submitted at a "
        "time; default: all.",
        lower_bound=1,
    )
    flags.DEFINE_string("only", "", "Run only the variants whose titles contain this text.")
    flags.DEFINE_integer("seeds", None, "Number of seeds, in place of the file's.", lower_bound=1)
    flags.DEFINE_bool("dry_run", False, "List the runs and their progress, and stop.")


def main() -> int:
    """Run what is not done yet, and write all results; the exit code."""
    if not FLAGS.experiment:
        raise InputError("which experiment? python -m experiments.run experiments/ablations/ema.py")
    jax.config.update("jax_platforms", "cpu")  # this process only plans: accelerators are for its children
    experiment = load(FLAGS.experiment, FLAGS.seeds)
    folder = Path(FLAGS.workdir or f"runs/{Path(FLAGS.experiment).stem}")
    runs = plan(experiment, folder)
    chosen = _only(runs, FLAGS.only)
    cores = on_local.shares(FLAGS.jobs or 1) if FLAGS.on == "local" else []
    if FLAGS.dry_run:
        print(listing(chosen))
        return 0
    executor = _executor(experiment, folder, cores)
    with Workdir(folder):
        return sweep(experiment, folder, runs, chosen, executor)


def sweep(experiment: Experiment, folder: Path, runs: Sequence[Run], chosen: Sequence[Run], executor: Executor) -> int:
    """Run those of `chosen` that are not done, then write and print the results of all `runs`; the exit code."""
    done = []
    todo = []
    for run in programs(experiment, chosen):
        (done if outcome.state(run) == outcome.DONE else todo).append(run)
    pace = f"{executor.at_once} at a time" if executor.at_once else "all at once"
    say(f"runs: {len(done)} done, {len(todo)} to do, {pace}")

    def finished(run):
        results.write(folder, experiment, runs, {})
        refuse_absent(experiment, runs)
        return next(filter(None, (lacking(experiment, member) for member in run.members)), None)

    refuse_absent(experiment, runs)
    members = [member for run in done for member in run.members]
    failures = {run.title: reason for run in members if (reason := lacking(experiment, run))}
    ended = launch.execute(todo, executor, finished, say)
    failures |= ended.failures
    print(results.write(folder, experiment, runs, failures), end="")
    if failures:
        say("\n".join(["failed:", *(f"  {title}: {reason}" for title, reason in failures.items())]))
    return 128 + ended.signal if ended.signal else int(bool(failures))


def refuse_absent(experiment: Experiment, runs: Sequence[Run]) -> None:
    """Refuse a report of a number that no finished run has. Raises: InputError."""
    done = [run for run in runs if outcome.state(run) == outcome.DONE]
    if done and (common := set.intersection(*(set(_absent(experiment, run)) for run in done))):
        raise InputError(f"REPORT has {_unknown(common, outcome.numbers(done[0]))}. Finished runs are kept")


def lacking(experiment: Experiment, run: Run) -> str | None:
    """The reported numbers that a finished run lacks, in one line, or None."""
    absent = _absent(experiment, run)
    return f"it lacks {_unknown(absent, outcome.numbers(run))}" if absent else None


def _absent(experiment, run):
    numbers = outcome.numbers(run)
    return [reported.name for reported in experiment.report if reported.name not in numbers]


def _unknown(absent, numbers):
    names = ", ".join(f"{name!r}{did_you_mean(name, numbers)}" for name in sorted(absent))
    return f"{names}; choose from {', '.join(map(repr, numbers))}"


def listing(runs: Sequence[Run]) -> str:
    """A table of the runs and their progress."""
    rows = []
    for run in runs:
        rows.append((run.variant, run.seed, outcome.state(run), outcome.reached(run), run.steps, run.path.name))
    return table(rows, ("variant", "seed", "state", "step", "of", "folder"))


def say(text: str) -> None:
    """Report progress on stderr; the table alone is on stdout."""
    print(text, file=sys.stderr, flush=True)


def _executor(experiment: Experiment, folder: Path, cores) -> Executor:
    if FLAGS.on == "slurm":
        return on_slurm.OnSlurm(folder, experiment.needs, experiment.slurm, FLAGS.jobs)
    if FLAGS.on == "ray":
        return on_ray.OnRay(experiment.needs, FLAGS.jobs)
    return on_local.OnLocal(cores)


def _only(runs: Sequence[Run], text: str) -> list[Run]:
    chosen = [run for run in runs if text.lower() in run.variant.lower()]
    if not chosen:
        titles = list(dict.fromkeys(run.variant for run in runs))
        raise InputError(f"--only={text!r} is in no title: choose from {', '.join(map(repr, titles))}")
    return chosen


if __name__ == "__main__":
    define_flags()
    sys.argv[1:2] = [word if word.startswith("-") else f"--experiment={word}" for word in sys.argv[1:2]]
    entry.run(main)
