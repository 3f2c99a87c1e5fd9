"""`accuracy` is of a classifier, and of its control where the task has one."""

import jax.numpy as jnp
import numpy as np
import pytest

from genjax.data.source import in_memory
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.registry import METRICS

LABELS = np.array([0, 1, 1, 0])


def votes(of):
    """An output that gives the class `of` the whole probability."""
    return lambda state, x: np.eye(2, dtype=np.float32)[np.full(len(x), of)]


@pytest.mark.parametrize("control", [False, True])
def test_a_control_has_an_accuracy_of_its_own(control):
    outputs = {"classify": lambda state, x: x} | ({"classify_scratch": votes(1)} if control else {})
    x = np.eye(2, dtype=np.float32)[[0, 1, 1, 1]]  # three of four are right
    held = in_memory("made up", "test", x, LABELS)
    context = EvalContext(None, held, held, [], Task(None, (), outputs), State(jnp.int32(0), {}, {}, {}))
    (result,) = evaluate(context, [METRICS["accuracy"]])
    expected = {"Accuracy": 0.75} | ({"Accuracy from scratch": 0.5} if control else {})
    assert result.numbers == expected
