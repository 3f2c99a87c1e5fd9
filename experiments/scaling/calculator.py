"""Model the gain from more devices: python -m experiments.scaling.calculator --config=configs/dcgan.py --step_ms=49

Counts the bytes that the config's step sends between devices, in the program that XLA compiles for four CPU devices,
and adds the time that a ring of the stated speed needs for them to the given time of a step on one device. Nothing is
overlapped and arithmetic divides evenly: the result is a model and not a measurement. See docs/scaling.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax
from absl import flags
from ml_collections import config_flags

from experiments.scaling.collectives import Collective, collectives, compile_step
from experiments.scaling.links import LINKS, Link, ring_seconds
from genjax import data, tasks
from genjax.cli import entry
from genjax.config import check, pick
from genjax.engine.loop import shapes
from genjax.engine.mesh import check_batch, make_mesh
from genjax.engine.phase import Task
from genjax.errors import InputError
from genjax.text import bytes_text, number, table

FLAGS = flags.FLAGS

COMPILED_FOR = 4
"""Number of devices. From two on, the all-reduced bytes do not depend on it."""


def define_flags() -> None:
    """Define the flags of this command."""
    config_flags.DEFINE_config_file("config", None, "The experiment, as for genjax.train.")
    flags.DEFINE_float("step_ms", None, "Milliseconds per step on one device, measured or assumed.", lower_bound=0)
    flags.DEFINE_list("link", list(LINKS), f"Links between neighbors; choose from {', '.join(LINKS)}.")
    flags.DEFINE_list("devices", ["1", "2", "4", "8", "16", "32"], "Numbers of devices, or of hosts.")


def main() -> int:
    """Print a table per link. Returns: the exit code."""
    if FLAGS.config is None or not FLAGS.step_ms:
        raise InputError("--config and --step_ms are needed, as in --config=configs/dcgan.py --step_ms=49")
    links = {name: pick(LINKS, name, "--link") for name in FLAGS.link}
    counts = [_count(text) for text in FLAGS.devices]
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", COMPILED_FOR)
    config = FLAGS.config
    check(config, tasks.default_config(config.task))
    check_batch(config.batch, COMPILED_FOR)
    shape = data.load(config.data).shape
    task = tasks.build(config, shape)
    sent = collectives(compile_step(task, shape, make_mesh()))
    print(f"batch {config.batch}, {number(FLAGS.step_ms)} ms per step on one device (as given)")
    print(describe(sent))
    print(f"each gradient once: {bytes_text(gradient_bytes(task))}")
    for name, link in links.items():
        print(f"\n{name}: {number(link.gigabytes)} GB/s each way, {number(link.microseconds)} µs per message")
        print(as_text(scale(sent, FLAGS.step_ms / 1e3, config.batch, counts, link)))
    return 0


def _count(text: str) -> int:
    if not text.strip().isdigit() or not int(text):
        raise InputError(f"--devices: {text!r} is not a number of devices, such as 8")
    return int(text)


def describe(sent: Sequence[Collective]) -> str:
    """Bytes and calls per step, by kind, in one line."""
    kinds = dict.fromkeys(c.kind for c in sent)
    parts = []
    for kind in kinds:
        calls = sum(c.times for c in sent if c.kind == kind)
        size = sum(c.times * c.nbytes for c in sent if c.kind == kind)
        parts.append(f"{bytes_text(size)} ({size:,} bytes) in {calls} {kind} calls")
    return "a step sends " + ", ".join(parts)


def gradient_bytes(task: Task) -> int:
    """Bytes of all gradients of a step, each sent once: the minimum for data parallelism.

    A critic is updated once per batch of the step, every other net once.
    """
    updates = task.phases[0].batches_per_step
    nets = shapes(task).nets.items()
    return sum(
        leaf.size * leaf.dtype.itemsize * (updates if name == "critic" else 1)
        for name, net in nets
        for leaf in jax.tree.leaves(net.params)
    )


@dataclass(frozen=True)
class Scaled:
    """A step on a number of devices; times in seconds."""

    devices: int
    sending: float
    wide: float  # the batch grows with the devices
    wide_efficiency: float  # images per second, relative to perfect scaling
    same: float | None  # the batch stays the same; None where it does not divide by the devices
    same_efficiency: float | None


def scale(sent: Sequence[Collective], step: float, batch: int, counts: Sequence[int], link: Link) -> Iterator[Scaled]:
    """A step that takes `step` seconds on one device, on several; all sending is taken for all-reduces."""
    for n in counts:
        sending = sum(c.times * ring_seconds(c.nbytes, n, link) for c in sent)
        wide = step + sending
        same = None if batch % n else step / n + sending
        yield Scaled(n, sending, wide, step / wide, same, same and step / n / same)


def as_text(rows: Iterator[Scaled]) -> str:
    """The steps as a table."""
    headers = ("devices", "sending ms", "batch x devices: ms", "efficiency", "same batch: ms", "efficiency")
    cells = (
        (
            row.devices,
            1e3 * row.sending,
            1e3 * row.wide,
            f"{row.wide_efficiency:.0%}",
            row.same and 1e3 * row.same,
            None if row.same is None else f"{row.same_efficiency:.0%}",
        )
        for row in rows
    )
    return table(list(cells), headers)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
