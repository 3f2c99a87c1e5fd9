"""Images per second that training can need at most: --config=stylegan2_ada:paper256 --for=v5e:2x4,v6e:2x4,h100:8

For each kind of devices: the time that a step cannot go below (`experiments.scaling.compile`, without compiling), the
examples and bytes that are read in it, and the cores that keep up, at the examples per second and core of
--rates=reader:number,... as `experiments.benchmarks.readers` measures them. Nothing is read.
"""

import os

from absl import flags
from ml_collections import config_flags

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before JAX looks for devices

from experiments.scaling.chips import CHIPS, parsed
from experiments.scaling.compile import least_seconds, opened
from genjax.cli import entry
from genjax.engine.loop import shapes
from genjax.engine.mesh import check_batch
from genjax.engine.phase import scheduled_phases
from genjax.errors import InputError
from genjax.run.description import step_cost
from genjax.text import number, table

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    config_flags.DEFINE_config_file("config", None, "The experiment, as for genjax.train.")
    flags.DEFINE_list("for", [], f"Devices, as v5e:2x4 (chips in a grid) or h100:8; chips: {', '.join(CHIPS)}.")
    flags.DEFINE_list("rates", [], "Examples per second and core of readers, as folder:500,packed:5000.")


def main() -> int:
    """Print the table of the last phase, which has the largest examples. Returns: the exit code."""
    targets = FLAGS["for"].value
    if FLAGS.config is None or not targets:
        raise InputError("--config and --for are needed, as in --config=stylegan2_ada:paper256 --for=v5e:2x4,h100:8")
    rates = dict(map(_rate, FLAGS.rates))
    task, source = opened(FLAGS.config)
    scheduled = list(scheduled_phases(task))[-1]
    phase = scheduled.phase
    flops = step_cost(phase, shapes(task), source).mean_flops
    rows = []
    for text in targets:
        _, chip, devices = parsed(text)
        check_batch(phase.batch, devices)
        seconds = least_seconds(FLAGS.config, task, flops, chip, devices)
        need = phase.batch * phase.batches_per_step / seconds
        cores = (f"{need / rate:.1f}" for rate in rates.values())
        gigabytes = need * source.nbytes / source.size / 1e9
        rows.append((text, f"{number(1e3 * seconds)} ms", f"{need:,.0f}", f"{gigabytes:.1f} GB/s", *cores))
    headers = ("devices", "a step not below", "examples/s", "decoded", *(f"cores: {name}" for name in rates))
    print(table(rows, headers))
    return 0


def _rate(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition(":")
    try:
        if name and float(value) > 0:
            return name, float(value)
    except ValueError:
        pass
    raise InputError(f"--rates: {text!r} is no reader with a number, such as folder:500")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
