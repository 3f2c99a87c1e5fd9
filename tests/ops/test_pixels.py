"""Pixels between uint8 and the range of an activation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.ops.pixels import quantize, to_float, to_pixels, to_uint8

LEVELS = np.arange(256, dtype=np.uint8)


@pytest.mark.parametrize("xp", [np, jnp])
def test_quantize_rounds_to_the_nearest_level_and_clips(xp):
    x = xp.asarray([-3.0, 0.49, 0.5, 1.5, 2.51, 254.6, 300.0])
    y = quantize(x)
    assert isinstance(y, np.ndarray if xp is np else jax.Array)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, [0, 0, 0, 2, 3, 255, 255])  # halves to even


def test_quantize_can_be_compiled():
    np.testing.assert_array_equal(jax.jit(quantize)(jnp.float32(LEVELS) + 0.3), LEVELS)


@pytest.mark.parametrize("output", ["tanh", "sigmoid"])
def test_every_level_survives_the_way_to_a_range_and_back(output):
    x = to_float(jnp.asarray(LEVELS), output)
    np.testing.assert_array_equal(to_uint8(x, output), LEVELS)
    np.testing.assert_allclose(to_pixels(x, output), LEVELS, atol=1e-4)


def test_points_pass_unchanged():
    x = jnp.asarray([-7.25, 300.5])
    assert to_pixels(x, "linear") is x
    assert to_uint8(x, "linear") is x
