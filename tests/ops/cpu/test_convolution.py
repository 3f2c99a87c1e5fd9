"""The CPU forms of the three maps against plain `lax` and its autodiff, in float64."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from convolutions import CASES, random_operands
from jax import lax

from genjax.ops import conv_maps
from genjax.ops.cpu import columns, phases
from genjax.ops.cpu.convolution import C, T, W


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.heavy
@pytest.mark.parametrize("cin", [1, 2])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_map_equals_its_plain_twin(case, cin):
    g, x, w, y = random_operands(case, cin=cin)
    ours = jax.jit(lambda x, w, y: (C(g, x, w), T(g, y, w), W(g, x, y)))
    plain = jax.jit(lambda x, w, y: (conv_maps.C(g, x, w), conv_maps.T(g, y, w), conv_maps.W(g, x, y)))
    for found, expected in zip(ours(x, w, y), plain(x, w, y), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "case",
    [*CASES, ((9, 13), (3, 5), (2, 3), "SAME", (1, 1)), ((10, 8), (5, 4), (2, 4), ((2, 1), (0, 3)), (1, 1))],
    ids=str,
)
def test_large_transposed_convolutions_are_computed_phase_by_phase_with_the_same_result(case, monkeypatch):
    g, _, w, y = random_operands(case)
    whole = jax.jit(lambda y: T(g, y, w))(y)
    monkeypatch.setattr(phases, "LARGE", 0)
    count = math.prod(g.stride) if all(k >= s for k, s in zip(g.kernel, g.stride, strict=True)) else 1
    count = count if g.dilation == (1, 1) else 1
    assert str(jax.make_jaxpr(lambda y: T(g, y, w))(y)).count("conv_general_dilated[") == count
    np.testing.assert_allclose(jax.jit(lambda y: T(g, y, w))(y), whole, rtol=1e-12, atol=1e-12)


COLUMNS = [
    ((7, 6), (3, 3), (1, 1), "SAME", (1, 1)),
    ((5, 9), (2, 4), (1, 1), "VALID", (1, 1)),
    ((6, 6), (3, 2), (1, 1), ((3, 1), (0, 1)), (1, 1)),
]


@pytest.mark.heavy
@pytest.mark.parametrize("case", COLUMNS, ids=str)
def test_large_convolutions_of_few_channels_are_computed_two_columns_at_once_with_the_same_result(case, monkeypatch):
    g, x, w, y = random_operands(case)
    whole = jax.jit(lambda x, y: (C(g, x, w), T(g, y, w)))(x, y)
    monkeypatch.setattr(columns, "LARGE", 0)
    program = str(jax.make_jaxpr(lambda x: C(g, x, w))(x))
    assert "window_strides=(1, 2)" in program
    for result, expected in zip(jax.jit(lambda x, y: (C(g, x, w), T(g, y, w)))(x, y), whole, strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)
    monkeypatch.setattr(columns, "FEW", 3)  # of 2 and 4 channels
    assert "window_strides=(1, 1)" in str(jax.make_jaxpr(lambda x: C(g, x, w))(x))


@pytest.mark.heavy
@pytest.mark.parametrize("cin", [1, 2])
@pytest.mark.parametrize("case", CASES[1:5], ids=str)
def test_second_derivatives_are_those_of_autodiff(case, cin):
    g, x, w, _ = random_operands(case, cin=cin)

    def penalty(convolve):  # a gradient penalty: the gradient in w of a nonlinear function of the gradient in x
        def of(w, x):
            slope = jax.grad(lambda x: jnp.sum(jnp.tanh(convolve(g, x, w))))(x)
            return jnp.sum(jnp.sin(slope))

        return jax.jit(jax.grad(of, argnums=(0, 1)))(w, x)

    for ours, theirs in zip(penalty(C), penalty(conv_maps.C), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("cin", [1, 2])
def test_gradients_survive_vmap_and_scan(cin):
    g, x, w, _ = random_operands(CASES[2], cin=cin)

    def gradient(convolve):
        def one(w, x):
            return jnp.sum(jnp.tanh(convolve(g, x[None], w)) ** 2)

        per_example = jax.vmap(jax.grad(one), (None, 0))

        def step(w, _):
            return w - 0.01 * per_example(w, x).mean(0), jnp.sum(w)

        return jax.jit(lambda w: lax.scan(step, w, length=3))(w)

    for ours, theirs in zip(gradient(C), gradient(conv_maps.C), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
