"""The outputs of a trained task as ONNX models, converted by jax2onnx and compared with the outputs in ONNX Runtime.

A model has its weights in it and takes batches of any size. Samples by seed are not among them: jax2onnx does not
convert JAX's random numbers, so a generator is the model "decode", of latents.
"""

from collections.abc import Callable

import jax
import numpy as np
from jax import export

from genjax.engine.outputs import input_like
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError, optional
from genjax.ops import backend

MODELS = ("decode", "encode", "reconstruct", "classify")
"""Outputs that become models, where a task has them; options are at their defaults."""

TOLERANCE = 1e-5
"""Largest difference from the output, relative to its largest number."""

COUNT = 3
"""Inputs of the comparison."""


def need() -> None:
    """Raises: InputError if the packages are missing."""
    for module in ("jax2onnx", "onnxruntime"):
        optional(module, "an ONNX model")


def models(task: Task, state: State, example: jax.ShapeDtypeStruct) -> dict[str, bytes]:
    """The models of a task's outputs by name.

    Raises: InputError for an output that cannot be converted, or whose model differs by more than TOLERANCE.
    """
    need()
    made = {}
    for name in MODELS:
        if name in task.outputs:
            inputs = input_like(task.outputs, name, state, example, COUNT)
            try:
                made[name] = _convert(task.outputs[name], state, inputs)
                difference = _difference(made[name], task.outputs[name], state, inputs)
            except Exception as error:  # of two converters and a runtime
                reason = (str(error) or type(error).__name__).splitlines()[0][:200]
                raise InputError(f"--onnx: jax2onnx cannot convert the output {name!r}: {reason}") from error
            if not difference <= TOLERANCE:
                raise InputError(f"--onnx: the model of {name!r} differs from the output by {difference:.1e}")
    return made


def _convert(output: Callable, state: State, inputs: jax.ShapeDtypeStruct) -> bytes:
    from jax2onnx import to_onnx

    (n,) = export.symbolic_shape("n")
    like = jax.ShapeDtypeStruct((n, *inputs.shape[1:]), inputs.dtype)
    with backend.writing_for("onnx"):
        return to_onnx(lambda x: output(state, x), [like]).SerializeToString()


def _difference(model: bytes, output: Callable, state: State, inputs: jax.ShapeDtypeStruct) -> float:
    """The largest difference of a model from an output, relative to the output's largest number, at random inputs."""
    import onnxruntime

    draws = np.random.default_rng(0)
    kind = np.dtype(inputs.dtype).kind
    x = draws.normal(size=inputs.shape) if kind == "f" else draws.integers(0, 256 if kind == "u" else 2, inputs.shape)
    x = x.astype(inputs.dtype)
    expected = np.float64(jax.jit(lambda x: output(state, x))(x))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of constants that it removes
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    got = np.float64(session.run(None, {session.get_inputs()[0].name: x})[0])
    return float(np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-12))
