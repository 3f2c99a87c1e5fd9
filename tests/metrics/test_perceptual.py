"""The perceptual distance against its formula, written with NumPy on the maps of the net."""

import jax
import numpy as np
import pytest

from genjax.metrics.perceptual import perceptual_distance
from genjax.nets.squeezenet import MAPS, SqueezeNet
from genjax.ops.resize import bilinear
from genjax.weights import squeezenet

rng = np.random.default_rng(0)
X, Y = rng.uniform(0, 255, (2, 3, 20, 24, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def distance():
    return jax.jit(perceptual_distance(32))


@pytest.mark.heavy
def test_it_is_the_difference_of_unit_vectors_summed_over_maps(distance):
    look = jax.jit(lambda x: SqueezeNet().apply(squeezenet.load(), bilinear(x, (32, 32))).maps)
    maps = [look(x) for x in (X, Y)]
    expected = np.zeros(3)
    for name in MAPS:
        a, b = (np.asarray(m[name], np.float64) for m in maps)
        a, b = (z / (np.sqrt(np.sum(z**2, -1, keepdims=True)) + 1e-10) for z in (a, b))
        expected += np.sum((a - b) ** 2, -1).mean((1, 2))
    np.testing.assert_allclose(distance(X, Y), expected, rtol=1e-5)


def test_it_is_zero_of_a_copy_symmetric_and_grows_with_the_change(distance):
    np.testing.assert_allclose(distance(X, X), 0, atol=1e-12)
    np.testing.assert_allclose(distance(X, Y), distance(Y, X), rtol=1e-6)
    steps = [np.asarray(distance(X, X + t * (Y - X))) for t in (0.01, 0.1, 1.0)]
    assert np.all(np.diff(steps, axis=0) > 0)


@pytest.mark.heavy
def test_gray_is_color_of_three_equal_channels(distance):
    gray = [z[..., :1] for z in (X, Y)]
    np.testing.assert_allclose(distance(*gray), distance(*(np.repeat(z, 3, -1) for z in gray)), rtol=1e-4)
