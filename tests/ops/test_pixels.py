"""Pixels between uint8 and the range of an activation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.ops.pixels import bits_of, quantize, to_float, to_numbers, to_pixels, to_stored

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
    np.testing.assert_array_equal(to_stored(x, output), LEVELS)
    np.testing.assert_allclose(to_pixels(x, output), LEVELS, atol=1e-4)


def test_points_pass_unchanged():
    x = jnp.asarray([-7.25, 300.5])
    assert to_pixels(x, "linear") is x
    assert to_stored(x, "linear") is x


@pytest.mark.parametrize("output", ["tanh", "sigmoid"])
def test_every_level_of_sixteen_bits_survives_the_way_to_a_range_and_back(output):
    levels = np.arange(65536, dtype=np.uint16)
    x = to_float(jnp.asarray(levels), output)
    stored = to_stored(x, output, 16)
    assert stored.dtype == jnp.uint16
    np.testing.assert_array_equal(stored, levels)
    low, high = {"tanh": (-1, 1), "sigmoid": (0, 1)}[output]
    np.testing.assert_allclose(x, low + (high - low) * (levels / 65535), atol=1e-6)
    np.testing.assert_allclose(to_pixels(x, output), levels / 257, atol=1e-4)


@pytest.mark.parametrize("xp", [np, jnp])
def test_numbers_of_stored_pixels_are_from_0_to_255(xp):
    for bits, levels in ((8, LEVELS), (16, np.arange(65536, dtype=np.uint16))):
        x = to_numbers(xp.asarray(levels))
        assert x.dtype == np.float32
        assert isinstance(x, np.ndarray if xp is np else jax.Array)
        np.testing.assert_allclose(x, levels * (255 / (2**bits - 1)), rtol=1e-6)
        np.testing.assert_array_equal(quantize(x, bits), levels)
        assert bits_of(levels) == bits
    assert bits_of(np.zeros(2)) == 0


def test_sixteen_bits_are_clipped_and_rounded():
    np.testing.assert_array_equal(quantize(np.array([-3.0, 0.001, 0.003, 255.1]), 16), [0, 0, 1, 65535])
