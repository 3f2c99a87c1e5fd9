"""Compile a config's programs for TPUs and GPUs that are not here: --config=dcgan --for=v5e:2x4,h100:8

Prints, per phase: what it needs of a chip's memory, what a step sends between the chips, its convolutions, and the time
that it cannot go below. Exit code 1 if a program does not fit, with the largest results by the names of their modules,
and what was tried and fits. Nothing is placed or computed. Needs libtpu, or JAX's CUDA plug-in and ptxas:
pip install "genjax-models[compile-tpu,compile-gpu]".
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from absl import flags
from ml_collections import ConfigDict, config_flags

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before JAX looks for devices

import jax

from experiments.scaling.calculator import describe, gradient_bytes
from experiments.scaling.chips import CHIPS, Chip, Target, target
from experiments.scaling.programs import OutOfMemory, Program, compiled, largest_buffers
from genjax import data, tasks
from genjax.cli import entry
from genjax.config import check
from genjax.data.mirrored import trained_on
from genjax.data.source import Source
from genjax.engine import loop
from genjax.engine.mesh import check_batch
from genjax.engine.phase import ScheduledPhase, Task, scheduled_phases
from genjax.errors import InputError
from genjax.run.description import step_cost
from genjax.text import bytes_text, number, table

FLAGS = flags.FLAGS

REMEDIES = (
    {"remat": True},
    {"dtype": "bfloat16"},
    {"dtype": "bfloat16", "remat": True},
    {"grad_accum_steps": 2, "remat": True},
    {"grad_accum_steps": 2, "dtype": "bfloat16", "remat": True},
    {"grad_accum_steps": 4, "dtype": "bfloat16", "remat": True},
)
"""Changes of a config that save memory, the least intrusive first."""


def define_flags() -> None:
    """The flags of this command."""
    config_flags.DEFINE_config_file("config", None, "The experiment, as for genjax.train.")
    flags.DEFINE_list("for", [], f"Devices, as v5e:2x4 (chips in a grid) or h100:8; chips: {', '.join(CHIPS)}.")
    flags.DEFINE_bool("last", False, "Compile the last phase alone, which is the largest of nets that grow.")
    flags.DEFINE_bool("remedies", True, "Try what fits, if a program does not.")
    flags.DEFINE_string("out", "", "A file to which lines of JSON are added: a step's cost, then the program's needs.")
    flags.DEFINE_float("effort", 0.0, "Of libtpu, from -1 to compile sooner.", lower_bound=-1, upper_bound=1)


def main() -> int:
    """Compile what the flags ask for. Returns: the exit code."""
    targets = [target(text) for text in FLAGS["for"].value]
    if FLAGS.config is None or not targets:
        raise InputError("--config and --for are needed, as in --config=dcgan --for=v5e:2x4,h100:8")
    task, source = opened(FLAGS.config)
    for goal in targets:
        for phase in task.phases:
            check_batch(phase.batch, len(goal.devices))
    fits = [report(FLAGS.config, task, source, goal) for goal in targets]
    return 0 if all(fits) else 1


def opened(config: ConfigDict) -> tuple[Task, Source]:
    """A config's task and the data that it is trained on. Raises: InputError."""
    check(config, tasks.default_config(config.task))
    source = trained_on(config.data, data.load(config.data))
    return tasks.build(config, source.shape), source


def report(config: ConfigDict, task: Task, source: Source, goal: Target) -> bool:
    """Print what each phase needs of a target. Returns: whether all fit."""
    resident = source.nbytes <= config.data.resident_gib * 2**30
    phases = list(scheduled_phases(task))
    for scheduled in phases[-1:] if FLAGS.last else phases:
        note({"target": goal.name} | costs(config, task, scheduled, source, goal))
        program = compiled(task, scheduled, source, resident, goal, FLAGS.effort)
        note(needs(program, goal))
        heading = f"{goal.name}, {scheduled.phase.name}", f"batch {scheduled.phase.batch}"
        print(table(list(rows(config, task, scheduled, source, program, goal)), heading) + "\n")
        if not fits(program, goal):
            _explain(config, task, scheduled, source, goal)
            return False
    return True


def fits(program: Program | OutOfMemory, goal: Target) -> bool:
    """Whether a program's memory is that of a chip at most."""
    return isinstance(program, Program) and program.peak <= goal.chip.memory


def rows(
    config: ConfigDict,
    task: Task,
    scheduled: ScheduledPhase,
    source: Source,
    program: Program | OutOfMemory,
    goal: Target,
) -> Iterator[tuple[str, str]]:
    """The rows of a table on a program."""
    chip = goal.chip
    if isinstance(program, OutOfMemory):
        yield "memory", f"{bytes_text(program.needed)} of {bytes_text(chip.memory)}: DOES NOT FIT"
    else:
        verdict = "" if fits(program, goal) else ": DOES NOT FIT"
        yield "memory", f"{bytes_text(program.peak)} of {bytes_text(chip.memory)}{verdict}"
        yield "  arguments", bytes_text(program.arguments)
        yield "  temporaries", bytes_text(program.temporaries)
        yield "sent", describe(program.collectives) if program.collectives else "nothing"
        yield "  each gradient once", bytes_text(gradient_bytes(task))
        for name, count in program.convolutions.items():
            yield "convolutions", f"{count} {name}"
    flops = step_cost(scheduled.phase, loop.shapes(task), source).mean_flops
    yield "a step", f"{flops / 1e9:,.4g} GFLOP in the mean"
    yield "  not below", f"{number(1e3 * least_seconds(config, task, flops, chip, len(goal.devices)))} ms"
    yield "compiled in", f"{program.seconds:.0f} s"


def costs(config: ConfigDict, task: Task, scheduled: ScheduledPhase, source: Source, goal: Target) -> dict[str, Any]:
    """A step's cost as numbers, known before anything is compiled."""
    flops = step_cost(scheduled.phase, loop.shapes(task), source).mean_flops
    seconds = least_seconds(config, task, flops, goal.chip, len(goal.devices))
    return {"phase": scheduled.phase.name, "batch": scheduled.phase.batch, "flops": flops, "least_seconds": seconds}


def needs(program: Program | OutOfMemory, goal: Target) -> dict[str, Any]:
    """The needs of a compiled program as numbers: bytes of a chip, bytes sent per step."""
    sent = program.collectives if isinstance(program, Program) else ()
    return {
        "memory": program.peak if isinstance(program, Program) else program.needed,
        "fits": fits(program, goal),
        "sent": sum(c.times * c.nbytes for c in sent),
        "compiled_in": program.seconds,
    }


def note(line: dict[str, Any]) -> None:
    """Add a line of JSON to the file of --out, if there is one."""
    if FLAGS.out:
        with Path(FLAGS.out).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def least_seconds(config: ConfigDict, task: Task, flops: float, chip: Chip, devices: int) -> float:
    """The time that a step takes at least: its products at the chip's rate, or the state read and written once."""
    rate = chip.bfloat16 if config.dtype == "bfloat16" else chip.float32
    state = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(loop.shapes(task)))
    return max(flops / devices / rate, 2 * state / chip.bandwidth)


def _explain(config: ConfigDict, task: Task, scheduled: ScheduledPhase, source: Source, goal: Target) -> None:
    """Print the largest results of a step that does not fit, and the changes that were tried."""
    largest = [(bytes_text(b.nbytes), b.array, b.name) for b in largest_buffers(task, scheduled, source)]
    print(table(largest, ("largest results, all chips", "array", "module")))
    if FLAGS.remedies:
        for change, verdict in remedies(config, source, goal, FLAGS.effort):
            print(f"with {', '.join(f'{key}={value}' for key, value in change.items())}: {verdict}")


def remedies(
    config: ConfigDict, source: Source, goal: Target, effort: float
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Changes of a config with what the last phase then needs, up to the first that fits."""
    for change in REMEDIES:
        if change.keys() - config.keys():
            continue
        changed = config.copy_and_resolve_references()
        changed.update(change)
        try:
            task = tasks.build(changed, source.shape)
        except InputError as error:
            yield change, str(error)
            continue
        resident = source.nbytes <= config.data.resident_gib * 2**30
        program = compiled(task, list(scheduled_phases(task))[-1], source, resident, goal, effort)
        needed = program.peak if isinstance(program, Program) else program.needed
        yield change, f"{bytes_text(needed)} of {bytes_text(goal.chip.memory)}"
        if fits(program, goal):
            return


if __name__ == "__main__":
    define_flags()
    entry.run(main)
