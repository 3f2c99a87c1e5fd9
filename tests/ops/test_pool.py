"""Pooling, plain and as on CPU: maxima against Flax's and PyTorch's rule for equal ones, the others by windows."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from genjax.ops import backend
from genjax.ops.pool import average_pool, max_pool, mean_pool, overlapping_max_pool


@pytest.fixture(params=["cpu", "gpu"], autouse=True)
def target(request, monkeypatch):
    """The form that is traced; both run on the backend of the tests."""
    monkeypatch.setattr(backend, "target", lambda: request.param)
    return request.param


@pytest.mark.heavy
@pytest.mark.parametrize("shape", [(2, 6, 8, 3), (3, 7, 7, 2), (1, 9, 5, 1)])
@pytest.mark.parametrize("size", [2, 3])
def test_values_and_gradients_are_xlas_even_among_equals(shape, size):
    x = jnp.asarray(np.random.default_rng(0).integers(0, 4, shape), jnp.float32)  # few values: many equals
    weights = jnp.asarray(np.random.default_rng(1).normal(size=jax.eval_shape(lambda: max_pool(x, size)).shape))

    def weighted(pool):
        return jax.jit(jax.value_and_grad(lambda x: (weights * pool(x) ** 2).sum()))(x)

    for ours, theirs in zip(
        weighted(lambda x: max_pool(x, size)),
        weighted(lambda x: nn.max_pool(x, (size, size), (size, size))),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.heavy
def test_gradients_of_gradients():
    with jax.enable_x64(True):
        x = jax.random.normal(jax.random.key(0), (2, 5, 4, 2), jnp.float64)
        check_grads(jax.jit(lambda x: max_pool(x) ** 3), (x,), order=2, modes=["rev"])


@pytest.mark.heavy
def test_the_first_of_equals_takes_the_gradient_and_nan_wins():
    x = jnp.array([[1.0, 1.0], [1.0, 1.0]]).reshape(1, 2, 2, 1)
    assert jax.jit(jax.grad(lambda x: max_pool(x).sum()))(x).ravel().tolist() == [1, 0, 0, 0]
    pool = jax.jit(lambda x: max_pool(x))
    for place in range(4):
        assert np.isnan(pool(np.where(np.arange(4) == place, np.nan, 1).reshape(x.shape))).all()


@pytest.mark.heavy
@pytest.mark.parametrize(("height", "width"), [(7, 8), (8, 9), (3, 2)])
@pytest.mark.parametrize(("size", "stride", "edge"), [(3, 2, 0), (3, 1, 1), (2, 2, 0)])
def test_overlapping_windows_are_maxima_to_the_very_edge(height, width, size, stride, edge):
    x = np.random.default_rng(0).normal(-5, 1, (2, height, width, 3)).astype("f4")  # below zero: padding must not win
    rows, columns = (-(-(n + 2 * edge - size) // stride) + 1 for n in (height, width))
    y = np.asarray(jax.jit(lambda x: overlapping_max_pool(x, size, stride, edge))(x))
    assert y.shape == (2, rows, columns, 3)
    for i, j in np.ndindex(rows, columns):
        top, left = (max(k * stride - edge, 0) for k in (i, j))
        window = x[:, top : i * stride - edge + size, left : j * stride - edge + size]
        np.testing.assert_array_equal(y[:, i, j], window.max((1, 2)))


@pytest.mark.heavy
def test_means_leave_out_pixels_beyond_the_edge():
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype(np.float32)
    y = jax.jit(lambda x: mean_pool(x))(x)
    np.testing.assert_allclose(y[:, 0, 0], x[:, :2, :2].mean((1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y[:, 2, 0], x[:, 1:4, :2].mean((1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y[:, 2, 2], x[:, 1:4, 1:4].mean((1, 2)), rtol=1e-5, atol=1e-6)


def test_means_of_windows_side_by_side():
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(
        jax.jit(lambda x: average_pool(x))(x)[:, 1, 2], x[:, 2:4, 4:6].mean((1, 2)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("pool", [max_pool, overlapping_max_pool, mean_pool])
def test_only_the_plain_form_reduces_windows(pool, target):
    program = str(jax.make_jaxpr(lambda x: pool(x))(jnp.ones((1, 6, 6, 2))))
    assert ("reduce_window" in program) == (target != "cpu")


def test_in_bfloat16_overlapping_windows_add_their_gradients_in_float32():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(1, 9, 9, 2)), jnp.bfloat16)
    g = jnp.asarray(np.random.default_rng(1).normal(size=(1, 4, 4, 2)), jnp.bfloat16)

    def pulled(x, g):
        y, pull = jax.vjp(lambda x: overlapping_max_pool(x, size=3, stride=2), x)
        return y, pull(g)[0]

    found, expected = pulled(x, g), pulled(x.astype(jnp.float32), g.astype(jnp.float32))
    for ours, exact in zip(found, expected, strict=True):
        assert ours.dtype == jnp.bfloat16
        np.testing.assert_array_equal(ours, exact.astype(jnp.bfloat16))
