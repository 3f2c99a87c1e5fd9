"""Distances of translations from their targets, where the translations are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.data.source import in_memory
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import NotApplicable
from genjax.evaluation.context import EvalContext
from genjax.evaluation.registry import METRICS
from genjax.evaluation.translation_metrics import feature_distances
from genjax.metrics import frechet_distance
from genjax.metrics.features import extract, squeezenet
from genjax.metrics.perceptual import perceptual_distance

PAIRS = np.random.default_rng(0).integers(0, 256, (24, 16, 16, 2), np.uint8)


def measured(name, translate):
    context = EvalContext(
        None,
        in_memory("pairs", "", PAIRS, None),
        in_memory("pairs", "", PAIRS, None),
        [],
        Task(lambda key: None, (), {"translate": translate}),
        State(jnp.int32(0), {}, {}, {}),
    )
    values, _ = METRICS[name].measure(context)
    return {value.label.removeprefix("Translation, "): value.number for value in values}


def test_a_translation_is_compared_with_the_last_channels():
    found = measured("translation", lambda state, x: x[..., 1:].astype(jnp.float32) / 2)
    target = PAIRS[..., 1:] / 255
    error = target - np.round(PAIRS[..., 1:] / 2) / 255
    assert found["mean absolute error"] == pytest.approx(np.abs(error).mean(), rel=1e-6)
    expected = -10 * np.log10((error**2).mean((1, 2, 3)))
    assert found["PSNR in decibels"] == pytest.approx(expected.mean(), rel=1e-6)


@pytest.mark.heavy
def test_features_are_of_translations_and_targets():
    found = measured("translation_features", lambda state, x: 255 - x[..., 1:].astype(jnp.float32))
    perceptual, frechet = found.values()
    y = PAIRS[..., 1:]
    distances = jax.jit(perceptual_distance())(jnp.asarray(y), jnp.asarray(255 - y))
    assert perceptual == pytest.approx(float(distances.mean()), rel=1e-4)
    features = [np.float64(extract(squeezenet(), x).features) for x in (y, 255 - y)]
    moments = [moment for x in features for moment in (x.mean(0), np.cov(x.T))]
    assert frechet == pytest.approx(frechet_distance(*moments), rel=1e-4)


def test_features_of_other_channels_are_refused():
    pairs = [(PAIRS, PAIRS)]
    with pytest.raises(NotApplicable, match="got 2 channels"):
        feature_distances(pairs)
