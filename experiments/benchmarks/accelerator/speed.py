"""Times of genjax's steps: the program of `genjax.train`, in calls that have the mean cost of a step."""

from collections.abc import Iterator, Sequence
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
    calls: int = 5,
    call_seconds: float = 0.4,
) -> Iterator[dict[str, Any]]:
    """A row per batch (0: the config's) and setting, the smallest batches first, since memory's peak only rises."""
    enable_compilation_cache()
    for batch, setting in points:
        yield row(config, setting, batch, pixels, calls, call_seconds)


def row(config: str, setting: str, batch: int, pixels: int, calls: int, call_seconds: float) -> dict[str, Any]:
    """The time, the arithmetic and the memory of a step."""
    program = Program(config, SETTINGS[setting] | ({"batch": batch} if batch else {}), pixels, CAPACITY)
    program.begin(0)
    seconds = program.compile()
    multiple = INTERVAL if pixels else 1
    times = timed(program.run, calls, call_seconds, CAPACITY, multiple)
    batch = program.phase.batch
    flops = step_cost(program.phase, loop.shapes(program.task), program.source).mean_flops
    chip = of_kind(program.device.device_kind)
    rate = flops / times["step_ms"] * 1e3
    memory = program.compiled.memory_analysis()
    return {
        "library": "genjax",
        "config": config,
        "setting": setting,
        "batch": batch,
        **times,
        "images_per_second": 1e3 * batch / times["step_ms"],
        "seconds_per_kimg": times["step_ms"] / batch,
        "flops": flops,
        "flops_per_second": rate,
        "share_of_chip": rate / chip.rate(setting) if chip else None,
        "compile_seconds": seconds,
        "peak_bytes": memory_of(program.device).get("peak_bytes_in_use"),
        "program_bytes": {
            name: getattr(memory, f"{name}_size_in_bytes", None) for name in ("argument", "temp", "output", "alias")
        },
    }
