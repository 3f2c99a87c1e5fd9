"""A profile of a few steps, and the kernels that take the most time in it."""

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from experiments.benchmarks.accelerator.parts import Context
from experiments.benchmarks.accelerator.program import SETTINGS, Program
from experiments.benchmarks.accelerator.speed import CAPACITY
from genjax.engine.compiler import enable_compilation_cache
from genjax.errors import InputError

SHOWN = 15
FOLDER = "profile"


def of_steps(
    context: Context, config: str, pixels: int, steps: int, setting: str = "bfloat16", batch: int = 0
) -> Iterator[dict[str, Any]]:
    """A row per kernel, the longest first. The trace is left in FOLDER: *.xplane.pb for XProf, *.json.gz for Perfetto.

    The program is that of `speed.steps`, so that it comes from the cache of compiled programs.
    """
    enable_compilation_cache()
    changes = SETTINGS[setting] | ({"batch": batch} if batch else {})
    program = Program(config, changes, pixels, CAPACITY)
    program.begin(0)
    program.compile()
    program.run(steps)
    with tempfile.TemporaryDirectory(prefix="genjax-") as place:
        with jax.profiler.trace(place, create_perfetto_trace=False):
            program.run(steps)
        files = [path for path in Path(place).rglob("*") if path.is_file()]
        (context.folder / FOLDER).mkdir(exist_ok=True)
        for path in files:
            shutil.copy(path, context.folder / FOLDER / f"trace{''.join(path.suffixes[-2:])}")
        traces = [path for path in files if path.suffix == ".pb"]
        yield from kernels(traces[0].read_bytes(), steps) if traces else ()


def kernels(trace: bytes, steps: int) -> Iterator[dict[str, Any]]:
    """The kernels on devices, by time.

    Raises: InputError if there are none, as on a CPU, or this JAX cannot read a trace.
    """
    if not hasattr(jax.profiler, "ProfileData"):
        raise InputError("this JAX writes a trace and reads none; it is left beside this page")
    spent, times = defaultdict(float), defaultdict(int)
    for plane in jax.profiler.ProfileData.from_serialized_xspace(trace).planes:
        for line in plane.lines if plane.name.startswith("/device:") else ():
            if not line.name.startswith(("Stream", "XLA Ops")):
                continue
            for event in line.events:
                spent[event.name] += event.duration_ns
                times[event.name] += 1
    if not spent:
        raise InputError("the trace has no kernels of a device, only the host's calls; it is left beside this page")
    total = sum(spent.values())
    for name in sorted(spent, key=spent.get, reverse=True)[:SHOWN]:
        yield {
            "kernel": name,
            "ms_per_step": spent[name] / 1e6 / steps,
            "share": spent[name] / total,
            "times_per_step": times[name] / steps,
        }
