"""The outputs of a trained task as programs in StableHLO, which run with JAX alone, for any batch size, on any backend.

A program is a function of the tensors of `model.safetensors`, by name, and of a batch of inputs, serialized by
`jax.export`. It is written in the plain forms of operations (`genjax.ops.backend.writing_for`), so one program serves
all of `PLATFORMS`; on CPU it equals genjax's own up to rounding.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
from jax import export

from genjax.engine.outputs import input_like
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.ops import backend
from genjax.run.exported import from_named, named

PLATFORMS = ("cpu", "cuda", "tpu")

PROGRAMS = ("sample", "decode", "encode", "reconstruct", "classify")
"""Outputs that become programs, where a task has them; options are at their defaults."""


class Program(NamedTuple):
    """A serialized program, with its input and output in words: "float32[n, 30]"."""

    data: bytes
    input: str
    output: str


def programs(task: Task, state: State, example: jax.ShapeDtypeStruct) -> dict[str, Program]:
    """The programs of a task's outputs by name; `state` holds what is exported, `example` is of one example.

    Raises: InputError for an output that cannot be written for any batch size, as one of an extension.
    """
    (n,) = export.symbolic_shape("n")
    made = {}
    for name in PROGRAMS:
        if name not in task.outputs:
            continue
        with backend.writing_for("any"):
            try:
                inputs = input_like(task.outputs, name, state, example, n)
                made[name] = _export(task.outputs[name], state, inputs)
            except (TypeError, ValueError, NotImplementedError) as error:
                reason = str(error).splitlines()[0]
                raise InputError(f"the output {name!r} is no program in StableHLO ({reason}): --nostablehlo") from error
    return made


def _export(output: Callable, state: State, inputs: jax.ShapeDtypeStruct) -> Program:
    """One program."""

    def program(weights, x):
        return output(from_named(state, weights), x)

    weights = {name: jax.ShapeDtypeStruct(a.shape, a.dtype) for name, a in named(state).items()}
    exported = export.export(jax.jit(program), platforms=PLATFORMS)(weights, inputs)
    return Program(bytes(exported.serialize()), _words(inputs), _words(exported.out_avals[0]))


def _words(like) -> str:
    return f"{like.dtype}[{', '.join(map(str, like.shape))}]"
