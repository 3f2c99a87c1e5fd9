"""Convolutions as layers have them, against Flax's and against enlarging first, in float64."""

import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from convolutions import CASES, random_operands
from jax import lax

from genjax.ops import backend
from genjax.ops.conv import conv, conv_transpose, pooled_conv, upsample_conv
from genjax.ops.cpu import columns, phases


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.heavy
@pytest.mark.parametrize(("kernel", "stride", "padding"), [*itertools.product([2, 3, 5], [1, 2, 3], ["SAME", "VALID"])])
def test_layers_agree_with_flax(kernel, stride, padding):
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(kernel, kernel, 3, 4))
    options = {"strides": (stride, stride), "padding": padding, "use_bias": False, "param_dtype": jnp.float64}
    expected = jax.jit(lambda x, w: nn.Conv(4, (kernel, kernel), **options).apply({"params": {"kernel": w}}, x))(x, w)
    ours = jax.jit(lambda x, w: conv(x, w, stride=(stride, stride), padding=padding))(x, w)
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)
    if stride > kernel:  # Flax leaves out the rows that no kernel reaches
        return
    w = w.swapaxes(2, 3)
    layer = nn.ConvTranspose(4, (kernel, kernel), **options, transpose_kernel=True)
    expected = jax.jit(layer.apply)({"params": {"kernel": w}}, x)
    ours = jax.jit(lambda x, w: conv_transpose(x, w, stride=(stride, stride), padding=padding))(x, w)
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.heavy
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 3)], ids=str)
def test_enlarging_within_the_convolution_is_enlarging_before_it(kernel):
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=(2, 4, 6, 3)), rng.normal(size=(*kernel, 3, 2))
    enlarged = jnp.asarray(x.repeat(2, 1).repeat(2, 2))
    expected = lax.conv_general_dilated(enlarged, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    np.testing.assert_allclose(upsample_conv(jnp.asarray(x), jnp.asarray(w)), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.heavy
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 3)], ids=str)
def test_means_within_the_convolution_are_means_after_it(kernel):
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=(2, 4, 6, 3)), rng.normal(size=(*kernel, 3, 2))
    plain = lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    expected = np.asarray(plain).reshape(2, 2, 2, 3, 2, 2).mean((2, 4))
    np.testing.assert_allclose(pooled_conv(jnp.asarray(x), jnp.asarray(w)), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.heavy
@pytest.mark.parametrize("cin", [1, 2])
@pytest.mark.parametrize("case", CASES[:3], ids=str)
def test_for_other_backends_plain_lax_is_traced_and_gives_the_same_numbers(case, cin, monkeypatch):
    monkeypatch.setattr(columns, "LARGE", 0)
    monkeypatch.setattr(phases, "LARGE", 0)
    g, x, w, y = random_operands(case, cin=cin)

    def value(x, y, w):
        forwards = conv(x, w, stride=g.stride, padding=g.pads)
        return jnp.sum(jnp.tanh(forwards)) + jnp.sum(jnp.tanh(conv_transpose(y, w, stride=g.stride)))

    results = {}
    for target in ("cpu", "gpu", "tpu"):
        monkeypatch.setattr(backend, "target", lambda target=target: target)
        program = jax.make_jaxpr(jax.grad(lambda *args: value(*args), (0, 1, 2)))(x, y, w)
        assert ("optimization_barrier" in str(program)) == (target == "cpu")
        results[target] = jax.jit(jax.core.eval_jaxpr, static_argnums=0)(program.jaxpr, program.consts, x, y, w)
    for target in ("gpu", "tpu"):
        for plain, special in zip(results[target], results["cpu"], strict=True):
            np.testing.assert_allclose(plain, special, rtol=1e-11, atol=1e-12)
