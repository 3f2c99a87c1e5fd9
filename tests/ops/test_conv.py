"""The three convolution maps against `lax.conv_general_dilated` and its autodiff, in float64."""

import itertools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from genjax.ops import conv as ops_conv
from genjax.ops.conv import C, T, W, _geometry, conv, conv_transpose, upsample_conv

CASES = [
    ((7, 6), (3, 3), (1, 1), "SAME", (1, 1)),
    ((8, 7), (5, 5), (2, 2), "SAME", (1, 1)),
    ((9, 8), (4, 4), (2, 2), "SAME", (1, 1)),
    ((9, 10), (2, 3), (3, 2), "VALID", (1, 1)),
    ((11, 9), (3, 2), (1, 2), "SAME", (2, 1)),
    ((6, 6), (4, 4), (1, 1), ((3, 1), (0, 2)), (1, 1)),
    ((5, 5), (1, 1), (2, 2), "SAME", (1, 1)),
]


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def arrays(case, batch=3, cin=2, cout=4):
    size, kernel, stride, padding, dilation = case
    rng = np.random.default_rng(0)
    w = jnp.asarray(rng.normal(size=(*kernel, cin, cout)))
    geometry = _geometry(size, w, stride, padding, dilation)
    x = jnp.asarray(rng.normal(size=(batch, *size, cin)))
    y = jnp.asarray(rng.normal(size=(batch, *geometry.out_size, cout)))
    return geometry, x, w, y


def reference(geometry, x, w):
    g = geometry
    return lax.conv_general_dilated(
        x, w, g.stride, g.pads, rhs_dilation=g.dilation, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


@pytest.mark.parametrize("cin", [1, 2])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_three_maps_are_the_convolution_and_its_two_transposes(case, cin):
    g, x, w, y = arrays(case, cin=cin)
    expected, pull = jax.vjp(lambda x, w: reference(g, x, w), x, w)
    expected_x, expected_w = pull(y)
    np.testing.assert_allclose(C(g, x, w), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(T(g, y, w), expected_x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(W(g, x, y), expected_w, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "case",
    [*CASES, ((9, 13), (3, 5), (2, 3), "SAME", (1, 1)), ((10, 8), (5, 4), (2, 4), ((2, 1), (0, 3)), (1, 1))],
    ids=str,
)
def test_large_transposed_convolutions_have_the_same_result_phase_by_phase(case, monkeypatch):
    g, _, w, y = arrays(case)
    whole = T(g, y, w)
    monkeypatch.setattr(ops_conv, "LARGE", 0)
    phases = math.prod(g.stride) if all(k >= s for k, s in zip(g.kernel, g.stride, strict=True)) else 1
    phases = phases if g.dilation == (1, 1) else 1
    assert str(jax.make_jaxpr(lambda y: T(g, y, w))(y)).count("conv_general_dilated[") == phases
    np.testing.assert_allclose(T(g, y, w), whole, rtol=1e-12, atol=1e-12)


COLUMNS = [
    ((7, 6), (3, 3), (1, 1), "SAME", (1, 1)),
    ((5, 9), (2, 4), (1, 1), "VALID", (1, 1)),
    ((6, 6), (3, 2), (1, 1), ((3, 1), (0, 1)), (1, 1)),
]


@pytest.mark.parametrize("case", COLUMNS, ids=str)
def test_large_convolutions_of_few_channels_have_the_same_result_two_columns_at_once(case, monkeypatch):
    g, x, w, y = arrays(case)
    whole = C(g, x, w), T(g, y, w)
    monkeypatch.setattr(ops_conv, "LARGE", 0)
    program = str(jax.make_jaxpr(lambda x: C(g, x, w))(x))
    assert "window_strides=(1, 2)" in program
    for found, expected in zip((C(g, x, w), T(g, y, w)), whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    monkeypatch.setattr(ops_conv, "FEW", 3)  # of 2 and 4 channels
    assert "window_strides=(1, 1)" in str(jax.make_jaxpr(lambda x: C(g, x, w))(x))


@pytest.mark.parametrize("cin", [1, 2])
@pytest.mark.parametrize("case", CASES[1:5], ids=str)
def test_second_derivatives_match_autodiff_of_lax(case, cin):
    g, x, w, _ = arrays(case, cin=cin)

    def penalty(convolve):  # a gradient penalty: the gradient in w of a nonlinear function of the gradient in x
        def of(w, x):
            slope = jax.grad(lambda x: jnp.sum(jnp.tanh(convolve(g, x, w))))(x)
            return jnp.sum(jnp.sin(slope))

        return jax.jit(jax.grad(of, argnums=(0, 1)))(w, x)

    for ours, theirs in zip(penalty(C), penalty(reference), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("cin", [1, 2])
def test_gradients_survive_vmap_and_scan(cin):
    g, x, w, _ = arrays(CASES[2], cin=cin)

    def gradient(convolve):
        def one(w, x):
            return jnp.sum(jnp.tanh(convolve(g, x[None], w)) ** 2)

        per_example = jax.vmap(jax.grad(one), (None, 0))
        step = lambda w, _: (w - 0.01 * per_example(w, x).mean(0), jnp.sum(w))  # noqa: E731
        return jax.jit(lambda w: lax.scan(step, w, length=3))(w)

    for ours, theirs in zip(gradient(C), gradient(reference), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [*itertools.product([2, 3, 4, 5], [1, 2, 3], ["SAME", "VALID"])]
)
def test_layers_agree_with_flax(kernel, stride, padding):
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.normal(size=(2, 6, 5, 3)))
    w = jnp.asarray(rng.normal(size=(kernel, kernel, 3, 4)))
    options = {"strides": (stride, stride), "padding": padding, "use_bias": False, "param_dtype": jnp.float64}
    expected = nn.Conv(4, (kernel, kernel), **options).apply({"params": {"kernel": w}}, x)
    np.testing.assert_allclose(conv(x, w, stride=(stride, stride), padding=padding), expected, rtol=1e-12, atol=1e-12)
    if stride > kernel:  # Flax leaves out the rows that no kernel reaches
        return
    expected = nn.ConvTranspose(4, (kernel, kernel), **options, transpose_kernel=True).apply(
        {"params": {"kernel": w.swapaxes(2, 3)}}, x
    )
    ours = conv_transpose(x, w.swapaxes(2, 3), stride=(stride, stride), padding=padding)
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 3)], ids=str)
def test_enlarging_within_the_convolution_is_enlarging_before_it(kernel):
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=(2, 4, 6, 3)), rng.normal(size=(*kernel, 3, 2))
    enlarged = jnp.asarray(x.repeat(2, 1).repeat(2, 2))
    expected = lax.conv_general_dilated(enlarged, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    np.testing.assert_allclose(upsample_conv(jnp.asarray(x), jnp.asarray(w)), expected, rtol=1e-12, atol=1e-13)
