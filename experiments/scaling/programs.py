"""A phase's program, compiled for chips that need not be here, and what it says: memory, collectives, convolutions."""

import contextlib
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import jax
import numpy as np
from jax.extend.core import Jaxpr

from experiments.scaling.chips import Target
from experiments.scaling.collectives import ARRAY, Collective, collectives
from genjax.data import feed
from genjax.data.source import Source
from genjax.engine import loop
from genjax.engine.cost import inner_programs
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import ScheduledPhase, Task
from genjax.ops import backend
from genjax.run.description import step_inputs

INSTRUCTION = re.compile(r"\s*(?:ROOT )?%(\S+) = (\S+(?: \S+)*?) (convolution|custom-call)\(([^)]*)\)(.*)")
NAMED = re.compile(r"%(\S+?)(?: = |: )([a-z]+\d*\w*)\[")
TARGET = re.compile(r'custom_call_target="__cudnn\$(\w+)"')
LABELS = re.compile(r"dim_labels=(\S+?)(?:,|$)")


@dataclass(frozen=True)
class Program:
    """A compiled program of a phase. Bytes are of one chip."""

    seconds: float  # to compile
    arguments: int  # bytes: state, resident data, inputs
    temporaries: int
    peak: int  # at one time, with the arguments
    collectives: tuple[Collective, ...]
    convolutions: Mapping[str, int]  # numbers by what computes them, types and layout
    hlo: str


@dataclass(frozen=True)
class OutOfMemory:
    """A program that the compiler refuses for want of memory."""

    seconds: float
    needed: float  # bytes


def compiled(
    task: Task, scheduled: ScheduledPhase, source: Source, resident: bool, target: Target, effort: float = 0.0
) -> Program | OutOfMemory:
    """The program that genjax.train runs in a phase, for the devices of a target; nothing is placed or computed.

    `effort`: from -1, to compile sooner, to 1 (TPUs alone).
    """
    phase = scheduled.phase
    mesh = make_mesh(target.devices)
    state = loop.abstract_state(task, mesh)
    bank, inputs = feed.like(source, phase, mesh, resident, 1)
    prepared = jax.eval_shape(lambda state: dict(phase.prepare(state, **phase.inputs())), state)
    key = jax.eval_shape(partial(jax.random.key, 0))
    count = jax.ShapeDtypeStruct((), np.int32)
    with backend.writing_for(target.chip.platform), jax.set_mesh(mesh):
        run = loop.compile_phase(phase, partial(feed.take_batch, shape=source.shape), mesh, 1)
        lowered = run.lower(state, bank, inputs, count, key, **prepared)
    start = time.monotonic()
    if target.chip.platform == "tpu":
        options = {"exec_time_optimization_effort": effort} if effort else None
    else:  # its own products need trials on a device to be tiled; without one they are the library's
        options = {"xla_gpu_enable_triton_gemm": False}
    try:
        with uncached():
            program = lowered.compile(options)
    except jax.errors.JaxRuntimeError as error:
        if match := re.search(r"RESOURCE_EXHAUSTED.*?\(([\d.]+)([KMG])\) exceeds", str(error), re.DOTALL):
            return OutOfMemory(time.monotonic() - start, float(match[1]) * 1024 ** " KMG".index(match[2]))
        raise
    seconds = time.monotonic() - start
    memory, hlo = program.memory_analysis(), program.as_text()
    arguments, temporaries = memory.argument_size_in_bytes, memory.temp_size_in_bytes
    peak = max(memory.peak_memory_in_bytes, arguments)
    return Program(seconds, arguments, temporaries, peak, tuple(collectives(hlo)), convolutions(hlo), hlo)


@contextlib.contextmanager
def uncached() -> Iterator[None]:
    """Without the cache of compiled programs, which can load none for devices that are not here."""
    enabled = jax.config.jax_enable_compilation_cache
    jax.config.update("jax_enable_compilation_cache", False)
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", enabled)


def convolutions(hlo: str) -> dict[str, int]:
    """Numbers of convolutions in a module, by "library or own: types -> type, layout", the commonest first."""
    types = dict(NAMED.findall(hlo))
    counts = Counter()
    for match in map(INSTRUCTION.match, hlo.splitlines()):
        if not match:
            continue
        call, labels = TARGET.search(match[5]), LABELS.search(match[5])
        layout = labels[1] if labels else ""
        if (match[3] == "custom-call" and not call) or "0" not in layout:  # a matrix product has no dimension 0
            continue
        operands = [types.get(name.strip().lstrip("%"), "?") for name in match[4].split(",")[:2]]
        result = ARRAY.search(match[2])[1]
        counts[f"{call[1] if call else 'convolution'}: {' x '.join(operands)} -> {result}, {layout}"] += 1
    return dict(counts.most_common())


@dataclass(frozen=True)
class Buffer:
    """A result within a step, as it is written: of all chips together."""

    name: str  # the modules that make it, as "Critic/Block_0/Conv_1"
    array: str  # its type and shape
    nbytes: int


def largest_buffers(task: Task, scheduled: ScheduledPhase, source: Source, count: int = 8) -> list[Buffer]:
    """The largest results of a step, each size of a module once. Shapes are of the whole batch."""
    program = jax.make_jaxpr(scheduled.phase.prepared_step)(*step_inputs(scheduled.phase, loop.shapes(task), source))
    largest = {(buffer.name, buffer.array): buffer for buffer in _buffers(program.jaxpr)}
    return sorted(largest.values(), key=lambda buffer: -buffer.nbytes)[:count]


def _buffers(jaxpr: Jaxpr) -> Iterator[Buffer]:
    for eqn in jaxpr.eqns:
        for inner in inner_programs(eqn):
            yield from _buffers(inner)
        for v in eqn.outvars:
            if hasattr(v.aval, "dtype") and hasattr(v.aval.dtype, "itemsize"):
                name = _modules(str(eqn.source_info.name_stack)) or eqn.primitive.name
                yield Buffer(name, v.aval.str_short(short_dtypes=True), v.aval.size * v.aval.dtype.itemsize)


def _modules(stack: str) -> str:
    """The modules of a stack of names, without the transformations around them."""
    parts = [re.sub(r".*\(|\).*", "", part) for part in stack.split("/")]
    return "/".join(part for part in parts if re.match(r"[A-Z]\w+", part) or re.search(r"_\d+$", part))
