"""The three plain maps against `lax.conv_general_dilated` and its autodiff, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from convolutions import CASES, random_operands
from jax import lax

from genjax.ops.conv_maps import C, T, W


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_maps_are_the_convolution_and_its_two_transposes(case):
    g, x, w, y = random_operands(case)

    def convolution(x, w):
        layout = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, w, g.stride, g.pads, rhs_dilation=g.dilation, dimension_numbers=layout)

    expected, pull = jax.vjp(convolution, x, w)
    expected_x, expected_w = pull(y)
    np.testing.assert_allclose(C(g, x, w), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(T(g, y, w), expected_x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(W(g, x, y), expected_w, rtol=1e-12, atol=1e-12)


@pytest.mark.heavy
@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_inner_product_three_ways(case):
    """<C(x, w), y> = <x, T(y, w)> = <w, W(x, y)>."""
    g, x, w, y = random_operands(case)
    products = jnp.vdot(C(g, x, w), y), jnp.vdot(x, T(g, y, w)), jnp.vdot(w, W(g, x, y))
    np.testing.assert_allclose(products, products[0], rtol=1e-12)
