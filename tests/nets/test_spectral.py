"""Spectral normalization against the singular values of LAPACK, and its slope against the paper's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.nets.layers import Conv, Dense

LAYERS = {"dense": (Dense(12, spectral=True), (3, 20)), "conv": (Conv(8, (3, 3), spectral=True), (2, 6, 6, 5))}


def unit(x):
    return x / np.linalg.norm(x)


def started(name):
    layer, shape = LAYERS[name]
    x = jax.random.normal(jax.random.key(1), shape)
    return layer, x, layer.init(jax.random.key(0), x)


def matrix(variables):
    kernel = np.float64(variables["params"]["kernel"])
    return kernel.reshape(-1, kernel.shape[-1])


@pytest.mark.heavy
@pytest.mark.parametrize("name", LAYERS)
def test_the_followed_value_converges_to_the_largest_singular_value(name):
    layer, x, variables = started(name)

    @jax.jit
    def train(variables):
        return {**variables, **layer.apply(variables, x, train=True, mutable=["spectral"])[1]}

    plain = type(layer)(**{**{f: getattr(layer, f) for f in ("features",)}, "kernel_init": layer.kernel_init})
    plain = plain.clone(kernel_size=layer.kernel_size) if name == "conv" else plain
    for _ in range(60):
        variables = train(variables)
    y, wide = layer.apply(variables, x), plain.apply({"params": variables["params"]}, x)
    largest = np.linalg.svd(matrix(variables), compute_uv=False)[0]
    sigma = np.linalg.norm(wide) / np.linalg.norm(y)  # without bias, all outputs shrink alike
    assert abs(sigma / largest - 1) < 0.01
    assert abs(np.linalg.svd(matrix(variables) / sigma, compute_uv=False)[0] - 1) < 0.01


@pytest.mark.parametrize("name", LAYERS)
def test_each_call_makes_one_power_step_and_training_keeps_it(name):
    layer, x, variables = started(name)
    w, u = matrix(variables), np.float64(variables["spectral"]["u"])
    v = unit(w @ u)
    stepped = unit(w.T @ v)
    _, moved = layer.apply(variables, x, train=True, mutable=["spectral"])
    np.testing.assert_allclose(moved["spectral"]["u"], stepped, rtol=1e-5, atol=1e-6)
    _, still = layer.apply(variables, x, train=False, mutable=["spectral"])
    np.testing.assert_array_equal(still["spectral"]["u"], variables["spectral"]["u"])
    assert layer.apply(variables, x, train=True).shape == layer.apply(variables, x).shape  # immutable: no error
    np.testing.assert_allclose(np.linalg.norm(moved["spectral"]["u"]), 1, rtol=1e-6)


def test_the_slope_is_the_papers_with_the_vectors_fixed():
    """arXiv:1802.05957, eq. 12: for a loss with slope d in the normalized W, (d - <d, W / sigma> v u') / sigma."""
    layer, x, variables = started("dense")
    w, u = matrix(variables), np.float64(variables["spectral"]["u"])
    v = unit(w @ u)
    u = unit(w.T @ v)
    sigma = v @ w @ u
    weight = np.random.default_rng(0).normal(size=(3, 12))

    def loss(params):
        return jnp.sum(layer.apply({**variables, "params": params}, x, train=True) * weight)

    slope = jax.grad(loss)(variables["params"])["kernel"]
    d = np.float64(x).T @ weight
    expected = (d - (d * w / sigma).sum() * np.outer(v, u)) / sigma
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-5)


def test_without_it_a_layer_has_no_such_collection():
    assert "spectral" not in Dense(3).init(jax.random.key(0), jnp.ones((1, 2)))
