"""Modulated convolution against arXiv:1912.04958's eqs. 1 and 3, an example at a time, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy_nets import conv, upfirdn

from genjax.ops import modulated
from genjax.ops.resample import SMOOTH, upfirdn2d

RNG = np.random.default_rng(0)
X, W, STYLE = RNG.normal(size=(3, 6, 5, 4)), RNG.normal(size=(3, 3, 4, 7)), RNG.normal(size=(3, 4))


modulated_conv = jax.jit(modulated.modulated_conv, static_argnames=("demodulate", "up"))


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def enlarging(x, w):
    """w over x with zeros in between and two around, then a filter of sum 4 over that with one around."""
    spread = upfirdn(x, [1], up=2)[:, :-1, :-1]  # no zeros behind the last pixel
    spread = conv(np.pad(spread, ((0, 0), (2, 2), (2, 2), (0, 0))), w, same=False)
    return upfirdn(spread, np.array(SMOOTH) / 4, pads=(1, 1))


def by_kernels(x, w, style, up=False):
    """The same with a kernel per example, as eqs. 1 and 3 are written; the demodulated one."""
    kernels = w * style[:, None, None, :, None]
    kernels *= jax.lax.rsqrt(jnp.sum(kernels**2, (1, 2, 3), keepdims=True) + 1e-8)
    ones = jnp.ones((1, x.shape[3]), x.dtype)
    return jax.vmap(lambda x, w: modulated_conv(x[None], w, ones, demodulate=False, up=up)[0])(x, kernels)


@pytest.mark.heavy
@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_each_example_has_its_own_kernel(demodulate, up):
    y = modulated_conv(X, W, STYLE, demodulate=demodulate, up=up)
    assert y.shape == ((3, 12, 10, 7) if up else (3, 6, 5, 7))
    for i in range(3):
        kernel = STYLE[i][:, None] * W  # eq. 1
        if demodulate:
            kernel = kernel / np.sqrt((kernel**2).sum((0, 1, 2)) + 1e-8)  # eq. 3
        expected = (enlarging if up else conv)(X[i : i + 1], kernel)
        np.testing.assert_allclose(y[i : i + 1], expected, rtol=1e-11, atol=1e-12)


@pytest.mark.heavy
@pytest.mark.parametrize("up", [False, True])
def test_scaling_maps_and_scaling_kernels_agree_in_float32(up):
    operands = [np.float32(a) for a in (X, W, STYLE)]
    y = modulated_conv(*operands, up=up)
    assert y.dtype == jnp.float32
    np.testing.assert_allclose(y, jax.jit(by_kernels, static_argnames="up")(*operands, up=up), atol=1e-5)


@pytest.mark.heavy
def test_scaling_maps_and_scaling_kernels_agree_in_second_derivatives():
    """In the kernel, of the gradient in the style: as regularizing path lengths needs."""

    def slopes(convolve):
        def total(style, w):
            return jnp.sum(jnp.tanh(convolve(jnp.asarray(X), w, style, up=True)))

        return jax.jit(jax.grad(lambda w: jnp.sum(jax.grad(total)(jnp.asarray(STYLE), w) ** 2)))(jnp.asarray(W))

    np.testing.assert_allclose(slopes(modulated_conv), slopes(by_kernels), rtol=1e-9, atol=1e-11)


@pytest.mark.heavy
def test_demodulated_outputs_of_independent_inputs_have_variance_one():
    """Exactly: the squares of all responses to impulses sum to one; and as measured on noise."""
    impulses = np.zeros((4, 5, 5, 4))
    impulses[np.arange(4), 2, 2, np.arange(4)] = 1
    style = np.tile(STYLE[:1], (4, 1))
    responses = np.asarray(modulated_conv(impulses, W, style))
    np.testing.assert_allclose((responses**2).sum((0, 1, 2)), 1, rtol=1e-7)
    x = np.random.default_rng(1).normal(size=(500, 3, 3, 4))
    center = np.asarray(modulated_conv(x, W, np.random.default_rng(2).normal(size=(500, 4))))
    np.testing.assert_allclose(center[:, 1, 1].var(0), 1, atol=4 * np.sqrt(2 / 500))


@pytest.mark.heavy
def test_enlarging_is_filtering_and_then_the_convolution_away_from_the_border():
    one = np.ones((3, 4))
    y = modulated_conv(X, W, one, demodulate=False, up=True)
    expected = conv(np.asarray(jax.jit(lambda x: upfirdn2d(x, SMOOTH, up=2))(X)), W)
    np.testing.assert_allclose(y[:, 2:-2, 2:-2], expected[:, 2:-2, 2:-2], rtol=1e-11, atol=1e-12)
    assert np.abs(y[:, 0] - expected[:, 0]).max() > 1e-3  # beyond it they have zeros in different places


@pytest.mark.heavy
def test_enlarging_keeps_centers_where_they_are():
    ramp = np.broadcast_to(np.arange(8.0)[:, None, None], (1, 8, 8, 1))
    delta = np.zeros((3, 3, 1, 1))
    delta[1, 1] = 1
    y = modulated_conv(ramp, delta, np.ones((1, 1)), demodulate=False, up=True)
    np.testing.assert_allclose(np.asarray(y)[0, 1:-1, 5, 0], (np.arange(1, 15) - 0.5) / 2, rtol=1e-14)
