"""Winograd's convolution is the convolution, and its gradients are the convolution's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.engine.cost import cost
from genjax.ops import conv
from genjax.ops.cpu import winograd


def arrays(height, width, dtype, channels=(3, 5)):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, height, width, channels[0])), rng.standard_normal((3, 3, *channels))
    return jnp.asarray(x, dtype), jnp.asarray(w, dtype)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("size", "padding"), [((3, 3), "SAME"), ((4, 4), "VALID"), ((5, 9), "SAME"), ((7, 6), "VALID")], ids=str
)
def test_it_is_the_convolution_with_its_gradients_in_x_and_w(size, padding):
    def values_and_gradients(convolve):
        def compute(x, w):
            value, pull = jax.vjp(convolve, x, w)
            return value, *pull(np.random.default_rng(1).standard_normal(value.shape))

        return jax.jit(compute)

    with jax.enable_x64(True):
        x, w = arrays(*size, jnp.float64)
        expected = values_and_gradients(lambda x, w: conv.conv(x, w, padding=padding))(x, w)
        found = values_and_gradients(lambda x, w: winograd.conv(x, winograd.transform(w), padding))(x, w)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.heavy
def test_one_pixel_is_enough():
    x, w = arrays(1, 1, jnp.float32)
    found = jax.jit(lambda x, w: winograd.conv(x, winograd.transform(w)))(x, w)
    np.testing.assert_allclose(found, conv.conv(x, w), rtol=1e-5, atol=1e-5)


@pytest.mark.heavy
def test_float32_loses_three_hundred_thousandths_at_most():
    x, w = arrays(32, 32, jnp.float32, (256, 8))
    exact = np.float64(conv.conv(x, w))
    found = jax.jit(lambda x, w: winograd.conv(x, winograd.transform(w)))(x, w)
    assert np.abs(found - exact).max() < 3e-5 * np.abs(exact).max()


def test_it_takes_a_quarter_of_the_products():
    x, w = arrays(8, 8, jnp.float32)
    flops = cost(winograd.conv, x, winograd.transform(w)).flops
    assert flops == cost(conv.conv, x, w).flops / 4 == 2 * 36 * 8 * 3 * 5  # of 36 pairs, 8 tiles, channels in and out
