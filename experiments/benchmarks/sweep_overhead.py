"""Seconds that a sweep's scheduler adds to each run: python -m experiments.benchmarks.sweep_overhead --on=ray --jobs=2

Carries out runs whose process does nothing. Without sbatch, submitit's local executor stands for Slurm, so that the
time in Slurm's queue is not counted.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from absl import flags

from experiments.sweeps import launch, on_local, on_ray, on_slurm, process
from experiments.sweeps.needs import Needs
from experiments.sweeps.plan import Run
from genjax import config_files
from genjax.cli import entry
from genjax.cli.flags import define_path

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_enum("on", "local", ("local", "slurm", "ray"), "The scheduler.")
    flags.DEFINE_integer("runs", 100, "Number of runs.", lower_bound=1)
    flags.DEFINE_integer("jobs", 1, "Number of runs at a time.", lower_bound=1)
    define_path("workdir", None, "A folder that all machines share; default: a temporary one.")


def main() -> None:
    """Print the seconds per run."""
    with tempfile.TemporaryDirectory(dir=FLAGS.workdir) as folder:
        executor = _executor(Path(folder))
        runs = dummies(Path(folder), FLAGS.runs)
        begin = time.monotonic()
        ended = launch.execute(runs, executor, lambda run: None, lambda line: None)
        took = time.monotonic() - begin
    print(f"{FLAGS.on}: {took / len(runs):.2f} s per run, {FLAGS.jobs} at a time; {len(ended.failures)} failed")


def dummies(folder: Path, count: int) -> list[Run]:
    """Runs whose process starts Python and ends."""
    process.command = lambda run: [sys.executable, "-c", ""]
    config = config_files.load("configs/demo.py:smoke")
    return [Run("dummy", seed, None, config, config.steps, folder / str(seed)) for seed in range(count)]


def _executor(folder: Path):
    needs = Needs(cores=1, minutes=5)
    if FLAGS.on == "slurm":
        return on_slurm.OnSlurm(folder, needs, {}, FLAGS.jobs, "slurm" if shutil.which("sbatch") else "local")
    if FLAGS.on == "ray":
        return on_ray.OnRay(needs, FLAGS.jobs)
    return on_local.OnLocal(on_local.shares(FLAGS.jobs))


if __name__ == "__main__":
    define_flags()
    entry.run(main)
