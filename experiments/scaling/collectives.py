"""The collectives in the HLO of a compiled step, with the number of times that a step runs each."""

import math
import re
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from genjax.data.feed import take_batch
from genjax.engine import loop
from genjax.engine.mesh import Mesh, replicated, sharded
from genjax.engine.phase import Task
from genjax.engine.state import stream

KINDS = ("all-reduce", "all-gather", "all-to-all", "reduce-scatter", "collective-permute", "collective-broadcast")
ARRAY = re.compile(r"\b(pred|[a-z]+\d+\w*)\[([\d,]*)\]")  # f32[64,5,5,128]
INSTRUCTION = re.compile(r"\s*(?:ROOT )?%?\S+ = (.+?) ([a-z][a-z-]*)\(.*")
COMPUTATION = re.compile(r"(?:ENTRY )?%?(\S+) \(.*\{$")
CALLED = re.compile(r"(?:body|calls|to_apply|\w+_computations?)=\{?([^,}\s]+(?:, %[^,}\s]+)*)")
CONDITION = re.compile(r"condition=%?([^,\s]+)")
LIMIT = re.compile(r" = s32\[\]\S* constant\((\d+)\)")
TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')


@dataclass(frozen=True)
class Collective:
    """One call that sends arrays between devices."""

    kind: str
    arrays: tuple[tuple[str, tuple[int, ...]], ...]  # type and shape of each
    times: int  # per step

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of elements of each array."""
        return tuple(math.prod(shape) for _, shape in self.arrays)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays per call."""
        return sum(_bytes(kind) * n for (kind, _), n in zip(self.arrays, self.sizes, strict=True))


def compile_step(task: Task, shape: tuple[int, ...], mesh: Mesh) -> str:
    """The optimized HLO of the first phase's loop on a mesh, with the data on every device; nothing is computed.

    `shape` is that of one example.
    """
    phase = task.phases[0]
    kind = jnp.uint8 if len(shape) == 3 else jnp.float32
    bank = {"x": jax.ShapeDtypeStruct((phase.batch, math.prod(shape)), kind, sharding=replicated(mesh))}
    picks = jax.ShapeDtypeStruct((1, phase.batches_per_step, phase.batch), jnp.int32, sharding=sharded(mesh, 2))
    run = loop.compile_phase(phase, partial(take_batch, shape=shape), mesh, 1)
    with jax.set_mesh(mesh):
        return run.lower(loop.abstract_state(task, mesh), bank, picks, 1, stream(0, "train")).compile().as_text()


def collectives(hlo: str) -> list[Collective]:
    """The collectives of a compiled module, in order.

    A loop whose length is known counts as often as it runs, one of unknown length (the steps of a call) once.
    """
    computations, entry = _computations(hlo)

    def walk(name, times):
        for line in computations[name]:
            match = INSTRUCTION.match(line)
            if not match:
                continue
            result = match[1]
            operation = match[2].removesuffix("-start")
            if operation in KINDS:
                arrays = tuple((kind, _shape(shape)) for kind, shape in ARRAY.findall(result))
                yield Collective(operation, arrays, times)
                continue
            inner = times * (_trips(line, computations) if operation == "while" else 1)
            for called in CALLED.findall(line):
                for part in called.split(", "):
                    yield from walk(part.lstrip("%"), inner)

    return list(walk(entry, 1))


def _trips(line: str, computations: dict[str, list[str]]) -> int:
    """Number of times that a loop runs: as the compiler notes it, the limit of its counter from 0 on, or 1."""
    if known := TRIPS.search(line):
        return int(known[1])
    condition = "\n".join(computations.get(CONDITION.search(line)[1], ()))
    limits = LIMIT.findall(condition)
    return int(limits[0]) if len(limits) == 1 and "direction=LT" in condition else 1


def _computations(hlo: str) -> tuple[dict[str, list[str]], str]:
    """The lines of each computation by its name, and the name of the one that is run."""
    computations: dict[str, list[str]] = {}
    entry = ""
    lines: list[str] = []
    for line in hlo.splitlines():
        if match := COMPUTATION.match(line):
            lines = computations[match[1]] = []
            entry = match[1] if line.startswith("ENTRY") else entry
        else:
            lines.append(line)
    return computations, entry


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in text.split(",") if n)


def _bytes(kind: str) -> int:
    return 1 if kind == "pred" else int(re.search(r"\d+", kind)[0]) // 8
