"""Resampling against zeros put in between and `np.convolve`, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy_nets import upfirdn

from genjax.errors import InputError
from genjax.ops import backend
from genjax.ops.resample import BINOMIAL, SMOOTH, bilinear2x, downsample2x, downsample_to, upfirdn2d, upsample2x

X = np.random.default_rng(0).normal(size=(2, 6, 8, 3))


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def filtered(x, *args, **options):
    """`upfirdn2d` as one program."""
    return jax.jit(lambda x: upfirdn2d(x, *args, **options))(x)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 3, 2), (2, 4, 6, 3)], ids=str)
def test_bilinear_is_jaxs_with_its_derivatives(shape):
    """To second order: the gradient of the squared gradient of a function of the result."""
    x = np.random.default_rng(1).normal(size=shape)

    def resized(x):
        return jax.image.resize(x, (shape[0], 2 * shape[1], 2 * shape[2], shape[3]), "linear")

    def all_of(double, x):
        def squares(x):
            return jnp.square(jax.grad(lambda x: jnp.sin(double(x)).sum())(x)).sum()

        return double(x), jax.grad(squares)(x)

    found, expected = (jax.jit(lambda x, f=f: all_of(f, x))(x) for f in (bilinear2x, resized))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.heavy
@pytest.mark.parametrize("form", ["axes", "window", "depthwise"])
@pytest.mark.parametrize(
    ("taps", "up", "down", "pad", "zeros"),
    [  # zeros before and behind, as arXiv:1912.04958's authors have them for each use
        (BINOMIAL, 1, 1, 0, (1, 1)),
        (BINOMIAL, 2, 1, 0, (2, 0)),
        (BINOMIAL, 1, 2, 0, (1, 0)),
        (SMOOTH, 2, 1, 0, (2, 1)),
        (SMOOTH, 1, 2, 0, (1, 1)),
        (SMOOTH, 1, 1, 1, (2, 2)),  # before a 3x3 convolution of stride 2
        (SMOOTH, 1, 1, -1, (1, 1)),  # behind a transposed one
        (SMOOTH, 4, 1, 0, (3, 0)),
    ],
)
def test_upfirdn2d_is_zeros_in_between_and_a_convolution(taps, up, down, pad, zeros, form, monkeypatch):
    monkeypatch.setattr(backend, "filter_form", lambda channels: form)
    expected = upfirdn(X, up * np.array(taps) / sum(taps), up, down, zeros)
    y = filtered(X, taps, up, down, pad)
    assert y.shape == (2, (6 * up + pad) // down, (8 * up + pad) // down, 3)
    np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("taps", "options", "shape"),
    [
        (BINOMIAL, {}, (2, 5, 4, 2)),
        (SMOOTH, {"up": 2}, (1, 3, 4, 2)),
        (SMOOTH, {"down": 2}, (2, 6, 8, 1)),
        (SMOOTH, {"down": 2}, (1, 7, 4, 1)),
        (SMOOTH, {"pad": 1}, (1, 4, 6, 1)),
        (SMOOTH, {"pad": -1}, (1, 5, 7, 1)),
        (SMOOTH, {"up": 3, "down": 2}, (1, 5, 4, 1)),
        ((1, 2, 5), {"up": 2}, (1, 3, 3, 1)),
    ],
)
def test_the_gradient_is_autodiffs_to_second_order(taps, options, shape):
    """On CPU it is the transposed filter; "any" backend has autodiff's."""
    x = np.random.default_rng(1).normal(size=shape)

    def all_of(x):
        def filtered(x):
            return jnp.sin(upfirdn2d(x, taps, **options)).sum()

        return jax.grad(filtered)(x), jax.grad(lambda x: jnp.square(jax.grad(filtered)(x)).sum())(x)

    found = jax.jit(lambda x: all_of(x))(x)
    with backend.writing_for("any"):
        expected = jax.jit(lambda x: all_of(x))(x)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


def test_in_bfloat16_sums_are_float32():
    x = jnp.asarray(X, jnp.bfloat16)
    y, transpose = jax.vjp(lambda x: upfirdn2d(x, SMOOTH), x)
    exact, exact_transpose = jax.vjp(lambda x: upfirdn2d(x, SMOOTH), x.astype(jnp.float32))
    assert y.dtype == transpose(y)[0].dtype == jnp.bfloat16
    np.testing.assert_array_equal(y, exact.astype(jnp.bfloat16))
    (expected,) = exact_transpose(y.astype(jnp.float32))
    np.testing.assert_array_equal(transpose(y)[0], expected.astype(jnp.bfloat16))


@pytest.mark.heavy
def test_a_box_of_two_is_nearest_neighbors_and_the_mean():
    np.testing.assert_array_equal(filtered(X, (1, 1), up=2), upsample2x(X))
    np.testing.assert_allclose(filtered(X, (1, 1), down=2), downsample2x(X), rtol=1e-13, atol=1e-15)


def test_filtering_by_one_two_one_and_then_the_mean_is_filtering_by_one_three_three_one():
    expected = downsample2x(filtered(X, BINOMIAL))
    np.testing.assert_allclose(filtered(X, SMOOTH, down=2), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.heavy
@pytest.mark.parametrize(("taps", "up", "down", "pad"), [(BINOMIAL, 1, 1, 0), (SMOOTH, 2, 1, 0), (SMOOTH, 1, 2, 0)])
def test_a_constant_stays_constant_within_and_fades_at_the_border(taps, up, down, pad):
    y = np.asarray(filtered(np.ones((1, 8, 8, 1)), taps, up, down, pad))[0, :, :, 0]
    np.testing.assert_allclose(y[1:-1, 1:-1], 1, rtol=1e-14)
    assert (y[0, 1:-1] == 1 - min(taps) * up / sum(taps)).all()


def test_pixel_centers_keep_their_place():
    """A ramp enlarged has its values at pixels' centers: the n-th of 16 lies where (n - 1/2) / 2 of 8 does."""
    ramp = np.broadcast_to(np.arange(8.0)[:, None, None], (1, 8, 8, 1))

    def rows(y):
        return np.asarray(y)[0, 1:-1, 2, 0]

    np.testing.assert_allclose(rows(filtered(ramp, SMOOTH, up=2)), (np.arange(1, 15) - 0.5) / 2, rtol=1e-14)
    np.testing.assert_allclose(rows(filtered(ramp, SMOOTH, down=2)), 2 * np.arange(1, 3) + 0.5, rtol=1e-14)


def test_enlarging_repeats_and_shrinking_averages():
    np.testing.assert_array_equal(upsample2x(X), X.repeat(2, 1).repeat(2, 2))
    expected = sum(X[:, i::2, j::2] for i in (0, 1) for j in (0, 1)) / 4
    np.testing.assert_allclose(downsample2x(X), expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(downsample2x(upsample2x(X)), X)
    np.testing.assert_allclose(
        downsample_to(X[:, :4, :4], 1)[:, 0, 0], X[:, :4, :4].mean((1, 2)), rtol=1e-14, atol=1e-15
    )


def test_shrinking_is_a_quarter_of_the_transpose_of_enlarging():
    y = np.random.default_rng(1).normal(size=(2, 12, 16, 3))
    np.testing.assert_allclose(jnp.vdot(upsample2x(X), y), 4 * jnp.vdot(X, downsample2x(y)), rtol=1e-12)


def test_odd_sides_cannot_be_halved():
    with pytest.raises(InputError, match=r"5x8 pixels cannot be halved.*even sides"):
        downsample2x(X[:, :5])


@pytest.mark.parametrize("options", [{"up": 2}, {"up": 3, "pad": -2}, {"down": 2}, {"pad": -1}, {"pad": 3}])
def test_without_paddings_it_is_the_same(options):
    expected = upfirdn2d(X, SMOOTH, **options)
    with backend.writing_for("onnx"):
        program = jax.make_jaxpr(lambda x: upfirdn2d(x, SMOOTH, **options))(X)
        np.testing.assert_array_equal(upfirdn2d(X, SMOOTH, **options), expected)
    assert "pad[" not in str(program)
