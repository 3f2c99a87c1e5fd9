"""Metrics of 16 bits are those of 8 bits on the same values; the two are not compared with each other."""

import jax.numpy as jnp
import numpy as np
import pytest

from genjax.data.source import in_memory
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.evaluation import sources
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.nets import open_feature_nets
from genjax.evaluation.registry import METRICS
from genjax.metrics.features import extract
from genjax.ops.pixels import to_numbers

RNG = np.random.default_rng(0)
REAL, FAKE, HELD = (RNG.integers(0, 256, (n, 16, 18, 3), np.uint8) for n in (40, 30, 20))
OUTPUTS = {"reconstruct": lambda state, x: to_numbers(x) * 0.9}


def numbers(factor):
    task = Task(lambda key: None, (), OUTPUTS)
    data = (in_memory("noise", "train", factor * x, None) for x in (FAKE, REAL, HELD))
    context = EvalContext(*data, [], task, State(jnp.int32(0), {}, {}, {}))
    names = ("swd", "ms_ssim", "neighbors", "reconstruction")
    results = evaluate(context, [METRICS[name] for name in names], warn=lambda _: None)
    return {label: number for result in results for label, number in result.numbers.items()}


@pytest.mark.heavy
def test_numbers_are_those_of_eight_bits():
    eight, deep = numbers(np.uint8(1)), numbers(np.uint16(257))
    assert eight.keys() == deep.keys()
    for label, value in eight.items():
        assert deep[label] == pytest.approx(value, rel=1e-4, abs=1e-9), label


@pytest.mark.heavy
def test_features_are_those_of_eight_bits():
    net = open_feature_nets("squeezenet:32", in_memory("noise", "train", REAL, None))[0]
    eight, deep = (extract(net, factor * REAL[:4], batch=4).features for factor in (np.uint8(1), np.uint16(257)))
    np.testing.assert_allclose(deep, eight, rtol=1e-4, atol=1e-4)


def test_eight_and_sixteen_bits_are_not_compared():
    eight, deep = (in_memory("noise", "train", factor * REAL, None) for factor in (np.uint8(1), np.uint16(257)))
    sources.check_same_shape(deep, deep)
    with pytest.raises(InputError, match=r"uint16, but noise uint8: bring them to one form with data\.bits"):
        sources.check_same_shape(deep, eight)


def test_samples_have_the_type_of_the_run():
    for kind in (jnp.uint8, jnp.uint16):
        outputs = {
            "sample": lambda state, seeds, truncation=None, ema=True, kind=kind: jnp.zeros((len(seeds), 2, 2, 1), kind)
        }
        task = Task(lambda key: None, (), outputs)
        samples = sources.samples_of(
            task, State(jnp.int32(0), {}, {}, {}), (2, 2, 1), 3, bits=8 * jnp.dtype(kind).itemsize
        )
        assert samples.dtype == samples.read(np.arange(3)).dtype == kind
