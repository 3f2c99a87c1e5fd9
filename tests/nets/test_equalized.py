"""Scaling at run time: the formulas in float64, unit variance from layer to layer, and what a multiplier does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call
from numpy_nets import conv, of, upfirdn

from genjax.nets.equalized import Conv, Dense, pixel_norm

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def test_dense_is_its_formula():
    x, layer = RNG.normal(size=(5, 6)), Dense(3, gain=1.7, lr_multiplier=0.1, bias=0.5)
    variables = call(layer.init, jax.random.key(0), x)
    np.testing.assert_array_equal(0.1 * variables["params"]["bias"], 0.5)
    variables, p = of(variables, RNG)
    expected = x @ p["kernel"] * 0.1 * 1.7 / np.sqrt(6) + 0.1 * p["bias"]
    np.testing.assert_allclose(call(layer.apply, variables, x), expected, rtol=1e-12)


@pytest.mark.parametrize("kernel", [3, 1])
def test_conv_is_its_formula(kernel):
    x, layer = RNG.normal(size=(2, 7, 5, 6)), Conv(3, kernel, gain=1.7)
    variables, p = of(call(layer.init, jax.random.key(0), x), RNG)
    expected = conv(x, p["kernel"] * 1.7 / np.sqrt(kernel**2 * 6)) + p["bias"]
    np.testing.assert_allclose(call(layer.apply, variables, x), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("kernel", "zeros"), [(3, (2, 2)), (1, (1, 1))])
def test_a_smooth_one_is_a_filter_and_the_kernel_at_every_second_pixel(kernel, zeros):
    """With as many zeros as conv_downsample_2d of arXiv:1912.04958's authors puts around the image."""
    x, layer = RNG.normal(size=(2, 6, 8, 4)), Conv(3, kernel, smooth=True)
    variables, p = of(call(layer.init, jax.random.key(0), x), RNG)
    filtered = upfirdn(x, np.array([1, 3, 3, 1]) / 8, pads=zeros)
    expected = conv(filtered, p["kernel"] * np.sqrt(2 / (kernel**2 * 4)), stride=2, same=False) + p["bias"]
    assert expected.shape == (2, 3, 4, 3)
    np.testing.assert_allclose(call(layer.apply, variables, x), expected, rtol=1e-11, atol=1e-12)


def test_stored_weights_are_of_unit_variance_over_the_multiplier():
    for multiplier in (1.0, 0.01):
        kernel = Dense(100, lr_multiplier=multiplier).init(jax.random.key(0), jnp.ones((1, 100)))["params"]["kernel"]
        np.testing.assert_allclose(multiplier * kernel.std(), 1, atol=4 / np.sqrt(2 * 10_000))
    variables = Conv(100, use_bias=False).init(jax.random.key(0), jnp.ones((1, 4, 4, 12)))
    assert list(variables["params"]) == ["kernel"]
    np.testing.assert_allclose(variables["params"]["kernel"].std(), 1, atol=4 / np.sqrt(2 * 10_800))


@pytest.mark.heavy
def test_linear_layers_of_gain_one_keep_unit_variance():
    """Of three in turn: a drawn 64x64 kernel has a mean square of one within sqrt(2) / 64, or 2 %, as deviation."""
    x = jax.random.normal(jax.random.key(1), (4096, 64))
    y = jax.random.normal(jax.random.key(2), (16, 16, 16, 64))
    for i in range(3):
        x, _ = Dense(64, gain=1.0).init_with_output(jax.random.key(i), x)
        y, _ = Conv(64, gain=1.0).init_with_output(jax.random.key(i), y)
        np.testing.assert_allclose(x.var(), 1, atol=0.1)
        y = y[:, 1:-1, 1:-1]  # there are zeros beyond the border
        np.testing.assert_allclose(y.var(), 1, atol=0.1)


def test_the_gain_keeps_the_mean_square_through_relus():
    x = jax.random.normal(jax.random.key(1), (4096, 256))
    for i in range(3):
        x = jax.nn.relu(Dense(256).init_with_output(jax.random.key(i), x)[0])
        np.testing.assert_allclose((x**2).mean(), 1, atol=0.1)


def test_the_multiplier_is_not_seen_in_the_output_but_in_the_gradient():
    x = RNG.normal(size=(5, 6))

    def of_multiplier(m):
        layer = Dense(3, lr_multiplier=m, bias=0.5)
        y, variables = layer.init_with_output(jax.random.key(0), x)
        return y, jax.grad(lambda v: jnp.sum(jnp.sin(layer.apply(v, x))))(variables)["params"]

    (y, slope), (slow_y, slow) = of_multiplier(1.0), of_multiplier(0.01)
    np.testing.assert_allclose(slow_y, y, rtol=1e-12)
    for name in ("kernel", "bias"):
        np.testing.assert_allclose(slow[name], 0.01 * slope[name], rtol=1e-12)


def test_pixel_norm_is_its_formula():
    x = RNG.normal(size=(2, 3, 4, 5))
    y = pixel_norm(x)
    for place in np.ndindex(2, 3, 4):
        np.testing.assert_allclose(y[place], x[place] / np.sqrt(sum(x[place] ** 2) / 5 + 1e-8), rtol=1e-13)
    np.testing.assert_array_equal(pixel_norm(jnp.zeros((1, 1, 1, 5))), 0)
    assert np.isfinite(jax.grad(lambda x: pixel_norm(x).sum())(jnp.zeros((1, 5)))).all()
