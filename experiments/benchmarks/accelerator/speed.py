"""Times of genjax's steps: the program of `genjax.train`, in calls that have the mean cost of a step."""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from experiments.benchmarks.accelerator.parts import Context
from experiments.benchmarks.accelerator.program import INTERVAL, SETTINGS, Program, memory_of, timed
from experiments.scaling.chips import of_kind
from genjax.engine import loop
from genjax.engine.compiler import enable_compilation_cache
from genjax.run.description import step_cost

CAPACITY = 32 * INTERVAL
"""Steps per call at most."""


def steps(
    context: Context,
    config: str,
    points: Sequence[tuple[int, str]],
    pixels: int = 0,
    changes: Mapping[str, Any] = MappingProxyType({}),
    title: str = "",
    calls: int = 5,
    call_seconds: float = 0.4,
) -> Iterator[dict[str, Any]]:
    """A row per batch (0: the config's) and setting, the smallest batches first, since memory's peak only rises.

    `changes` are of the config by dotted keys, which then has a title of its own.
    """
    enable_compilation_cache()
    for batch, setting in points:
        own = {**changes, **SETTINGS[setting]} | ({"batch": batch} if batch else {})
        program = Program(config, own, pixels, CAPACITY)
        program.begin(0)
        seconds = program.compile()
        head = {"library": "genjax", "config": title or config, "setting": setting, "compile_seconds": seconds}
        times = timed(program.run, calls, call_seconds, CAPACITY, INTERVAL if pixels else 1)
        yield head | speed(program, times) | memory(program) | arithmetic(context, program, setting, times["step_ms"])


def speed(program: Program, times: dict[str, Any]) -> dict[str, Any]:
    """The times, and the images in them."""
    batch, step_ms = program.phase.batch, times["step_ms"]
    return {"batch": batch, **times, "images_per_second": 1e3 * batch / step_ms, "seconds_per_kimg": step_ms / batch}


def memory(program: Program) -> dict[str, Any]:
    """The peak of the process so far, and the parts of the program; None where they are not counted."""
    planned = program.compiled.memory_analysis()
    parts = ("argument", "temp", "output", "alias")
    return {
        "peak_bytes": memory_of(program.device).get("peak_bytes_in_use"),
        "program_bytes": {name: getattr(planned, f"{name}_size_in_bytes", None) for name in parts},
    }


def arithmetic(context: Context, program: Program, setting: str, step_ms: float) -> dict[str, Any]:
    """The operations of a step in the mean, and the share of the chip's rate; None where they are not known."""
    flops = _flops(context, program)
    chip = of_kind(program.device.device_kind)
    rate = flops and flops / step_ms * 1e3
    return {
        "flops": flops,
        "flops_per_second": rate,
        "share_of_chip": rate / chip.rate(setting) if chip and rate else None,
    }


def _flops(context: Context, program: Program) -> float | None:
    """Counted once per config and batch, which takes seconds, as all settings have the same."""
    file = context.scratch / f"flops {program.name} {program.phase.batch}"
    if file.exists():
        return float(file.read_text("ascii"))
    try:
        flops = step_cost(program.phase, loop.shapes(program.task), program.source).mean_flops
    except Exception:  # of a JAX whose operations are not known here: no reason to lose the times
        traceback.print_exc()
        return None
    file.write_text(str(flops), "ascii")
    return flops
