"""Whether a run is saved in time when its machine is taken away: python -m experiments.scaling.preemption

Per config: the bytes of its state, the longest step, and the rate of storage at which a run that hears SIGTERM is saved
within --seconds. Computed; --measure=FOLDER also saves each state there, of random numbers, and says how long it took.
"""

import hashlib
import shutil
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from ml_collections import ConfigDict

from experiments.scaling.chips import CHIPS
from genjax import config_files, data, tasks
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.config import check
from genjax.data.source import Source, in_memory
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.loop import CALL_SECONDS, shapes
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError, did_you_mean
from genjax.run.description import step_cost
from genjax.text import bytes_text, number, table

FLAGS = flags.FLAGS

CONFIGS = (
    *("dcgan_paper", "progan:celeba_hq", "stylegan:ffhq", "stylegan2:ffhq"),
    *("stylegan2_ada:paper256", "stylegan2_ada:paper512", "stylegan2_ada:paper1024"),
)
"""Published settings, by name."""

UTILIZATION = 0.2
"""The share of a chip's rate that steps are taken to reach."""


def define_flags() -> None:
    """The flags of this command."""
    flags.DEFINE_list("configs", list(CONFIGS), "Names of configs.")
    flags.DEFINE_float(
        "seconds", 30.0, "From SIGTERM to SIGKILL, as the scheduler has it.", lower_bound=2 * CALL_SECONDS
    )
    flags.DEFINE_enum("chip", "h100", sorted(CHIPS), "The chip on which steps are computed.")
    flags.DEFINE_integer("chips", 1, "Their number.", lower_bound=1)
    define_path("measure", None, "Save each state in this folder, and remove it.")


def main() -> None:
    """Print the table."""
    unknown = [name for name in FLAGS.configs if name.partition(":")[0] not in config_files.names()]
    if unknown:
        raise InputError(f"--configs: no config {unknown[0]!r}{did_you_mean(unknown[0], config_files.names())}")
    if FLAGS.measure and Path(FLAGS.measure).exists():
        raise InputError(f"--measure={FLAGS.measure} is there: name a folder that is not, which is removed at the end")
    hashed = hash_rate()
    headers = ["config", "state", f"longest step, {FLAGS.chips} x {FLAGS.chip}", "hears within", "storage needed"]
    headers += ["measured"] if FLAGS.measure else []
    rows = []
    for name in FLAGS.configs:
        config = config_files.load(name)
        task, source = opened(config)
        like = shapes(task)
        step = longest_step(task, like, source, UTILIZATION * FLAGS.chips * CHIPS[FLAGS.chip].float32)
        heard = max(CALL_SECONDS, step)
        rate = rate_needed(nbytes(like), FLAGS.seconds, heard, hashed)
        row = [name, bytes_text(nbytes(like)), f"{number(step)} s", f"{number(heard)} s", f"{bytes_text(int(rate))}/s"]
        rows.append(row + ([f"{measured(like, Path(FLAGS.measure)):.1f} s"] if FLAGS.measure else []))
    print(table(rows, headers))
    print(f"Files are read back once, at {bytes_text(int(hashed))}/s, that of SHA-256 on this machine.")


def opened(config: ConfigDict) -> tuple[Task, Source]:
    """A config's task, and color images of the config's size in the place of its data, which need not be there."""
    check(config, tasks.default_config(config.task))
    side = int(config.data.size or 0)
    black = np.zeros((1, side, side, 3), np.uint8)
    source = in_memory("black", "train", black, None) if side else data.load(config.data)
    return tasks.build(config, source.shape), source


def nbytes(state: State) -> int:
    """Bytes of a state, of arrays or of shapes and types."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))


def longest_step(task: Task, like: State, source: Source, rate: float) -> float:
    """Seconds of the longest step of any phase on devices of `rate` operations per second, together."""
    return max(step_cost(phase, like, source).flops for phase in task.phases) / rate


def rate_needed(size: float, seconds: float, heard: float, hashed: float) -> float:
    """Bytes per second of storage at which `size` bytes are saved in time; infinite if they cannot be.

    A signal is heard after `heard` seconds; then the bytes are written, and read once at `hashed` bytes per second.
    """
    left = seconds - heard - size / hashed
    return size / left if left > 0 else float("inf")


def hash_rate() -> float:
    """Bytes per second of SHA-256 on this machine."""
    block = bytes(2**26)
    start = time.perf_counter()
    hashlib.sha256(block).digest()
    return len(block) / (time.perf_counter() - start)


def measured(like: State, folder: Path) -> float:
    """Seconds of saving a state of random numbers in a folder, which is not there before and after."""
    random = np.random.default_rng(0)
    state = jax.tree.map(lambda leaf: _random(random, leaf), like)
    try:
        start = time.perf_counter()
        Checkpoints(folder).save(state, {})
        return time.perf_counter() - start
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _random(random: np.random.Generator, leaf: jax.ShapeDtypeStruct) -> jax.Array:
    if leaf.ndim == 0:  # the step
        return jnp.zeros((), leaf.dtype)
    return jnp.asarray(np.frombuffer(random.bytes(leaf.size * leaf.dtype.itemsize), leaf.dtype).reshape(leaf.shape))


if __name__ == "__main__":
    define_flags()
    entry.run(main)
