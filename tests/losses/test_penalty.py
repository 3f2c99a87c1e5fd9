"""Penalties in closed form on critics whose slopes are known, and their own slopes against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.losses.penalty import PENALTIES, dragan, gradient_penalty, interpolates, one_sided, r1, r2, value_and_slope

KEY = jax.random.key(3)


@pytest.fixture
def images():
    x, y = np.random.default_rng(0).normal(size=(2, 6, 4, 3, 2)).astype(np.float32)
    return x, 3 + y


def of(penalty, critic, *given):
    """A penalty of a critic, as one program."""
    return jax.jit(lambda *given: penalty(critic, *given))(*given)


def linear(w):
    return lambda x: jnp.sum(x * w, (1, 2, 3))


def quadratic(x):
    """|x|^2 / 2, whose slope is x."""
    return jnp.sum(x**2, range(1, x.ndim)) / 2


def lengths(x):
    return np.linalg.norm(np.float64(x).reshape(len(x), -1), axis=1)


@pytest.mark.heavy
@pytest.mark.parametrize("length", [0.3, 1.0, 2.5])
def test_the_penalties_of_a_linear_critic_are_functions_of_its_length(length, images):
    w = np.random.default_rng(2).normal(size=(4, 3, 2)).astype(np.float32)
    w *= length / np.linalg.norm(w.ravel())
    expected = {
        "gradient_penalty": (length - 1) ** 2,
        "one_sided": max(0, length - 1) ** 2,
        "dragan": (length - 1) ** 2,
        "r1": length**2 / 2,
        "r2": length**2 / 2,
    }
    assert expected.keys() == PENALTIES.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(of(PENALTIES[name], linear(w), *images, KEY), value, rtol=1e-5, atol=1e-9)


def test_the_interpolating_penalties_of_a_quadratic_critic_are_of_the_points_lengths(images):
    # Between x and x all points are x, whatever the weights.
    real, _ = images
    real = real * jnp.linspace(0.05, 1, 6)[:, None, None, None]
    assert (lengths(real) < 1).any()
    assert (lengths(real) > 1).any()
    found = of(gradient_penalty, quadratic, real, real, KEY), of(one_sided, quadratic, real, real, KEY)
    np.testing.assert_allclose(found[0], ((lengths(real) - 1) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(found[1], (np.maximum(lengths(real) - 1, 0) ** 2).mean(), rtol=1e-5)


def test_r1_is_half_the_squared_slope_on_reals_and_r2_on_fakes(images):
    real, fake = images
    np.testing.assert_allclose(of(r1, quadratic, *images, KEY), (lengths(real) ** 2).mean() / 2, rtol=1e-5)
    np.testing.assert_allclose(of(r2, quadratic, *images, KEY), (lengths(fake) ** 2).mean() / 2, rtol=1e-5)


def test_value_and_slope_are_those_of_each_example(images):
    logits, slope = value_and_slope(quadratic, images[0])
    np.testing.assert_allclose(logits, lengths(images[0]) ** 2 / 2, rtol=1e-5)
    np.testing.assert_allclose(slope, images[0], rtol=1e-6)


@pytest.mark.heavy
def test_dragan_is_on_reals_moved_by_noise_of_half_the_batchs_deviation():
    """D(x) = a x on one pixel has one slope; D(x) = (x - m)^2 / 2 shows the moved points: E (|x'| - 1)^2.

    Reals are m +- s, so that x' - m = +-s + s e / 2 with e ~ N(0, 1); the expectation is by quadrature.
    """
    n, middle, s = 40_000, 3.0, 2.0
    real = middle + s * jnp.where(jnp.arange(n) % 2, 1.0, -1.0)[:, None]
    found = of(dragan, lambda x: (x[:, 0] - middle) ** 2 / 2, real, real, KEY)
    e, weight = np.polynomial.hermite_e.hermegauss(200)
    squares = (np.abs(s + s * e / 2) - 1) ** 2  # by symmetry the same for -s
    weight = weight / weight.sum()
    expected, deviation = (weight * squares).sum(), np.sqrt((weight * squares**2).sum() - (weight * squares).sum() ** 2)
    assert abs(float(found) - expected) < 4 * deviation / np.sqrt(n)


@pytest.mark.heavy
def test_interpolation_weights_are_uniform_and_one_an_example():
    # With D(x) = x^2 / 2 on one pixel, from 0 to 1, the slope is the weight u: E (u - 1)^2 = 1/3, var = 4/45.
    n = 20_000
    penalty = of(gradient_penalty, lambda x: x[:, 0] ** 2 / 2, jnp.zeros((n, 1)), jnp.ones((n, 1)), jax.random.key(0))
    assert abs(float(penalty) - 1 / 3) < 4 * np.sqrt(4 / 45 / n)
    # On two pixels with one weight the slope is (u, u): E (sqrt(2) u - 1)^2 = 2/3 - sqrt(2) + 1 (two weights: 0.2348).
    penalty = of(gradient_penalty, quadratic, jnp.zeros((n, 2)), jnp.ones((n, 2)), jax.random.key(0))
    assert abs(float(penalty) - (5 / 3 - np.sqrt(2))) < 0.008


@pytest.mark.parametrize("name", PENALTIES)
def test_a_flat_critic_has_finite_slopes(name, images):
    loss = lambda a: PENALTIES[name](lambda x: a * jnp.sum(x, (1, 2, 3)), *images, KEY)  # noqa: E731
    value, slope = jax.jit(jax.value_and_grad(loss))(0.0)
    np.testing.assert_allclose(value, 1.0 if name in ("gradient_penalty", "dragan") else 0.0, atol=1e-5)
    assert np.isfinite(slope)


@pytest.mark.parametrize("name", ["gradient_penalty", "one_sided"])
def test_interpolates_need_as_many_fakes_as_reals(name, images):
    with pytest.raises(ValueError, match="as many reals as fakes"):
        PENALTIES[name](linear(1.0), images[0], images[1][:3], KEY)


@pytest.mark.heavy
@pytest.mark.parametrize("name", PENALTIES)
def test_the_slope_of_a_penalty_in_the_critics_weights_matches_finite_differences(name):
    with jax.enable_x64(True):
        real, fake = (jax.random.normal(jax.random.key(i), (4, 5), jnp.float64) for i in (0, 1))
        w = 2 * jax.random.normal(jax.random.key(2), (5, 3), jnp.float64)
        v = jax.random.normal(jax.random.key(3), (3,), jnp.float64)

        @jax.jit
        def penalty(w):
            return PENALTIES[name](lambda x: jnp.tanh(x @ w) @ v, real, fake, jax.random.key(4))

        w, slope, step = np.asarray(w), np.asarray(jax.jit(jax.grad(penalty))(w)), 1e-6
        assert np.abs(slope).max() > 1e-3
        for index in np.ndindex(w.shape):
            moved = np.zeros_like(w)
            moved[index] = step
            difference = (penalty(w + moved) - penalty(w - moved)) / (2 * step)
            np.testing.assert_allclose(slope[index], difference, rtol=1e-5, atol=1e-8)


@pytest.mark.heavy
def test_penalties_of_images_in_several_sizes_are_means_and_sums_over_sizes():
    """A linear critic of a pyramid has the slope w_i in the image of size i, wherever it is."""
    lengths, rng = (0.5, 1.0, 3.0), np.random.default_rng(0)
    w = [rng.normal(size=(side, side, 2)) for side in (2, 4, 8)]
    w = [length * a / np.linalg.norm(a) for length, a in zip(lengths, w, strict=True)]
    real, fake = (tuple(jnp.asarray(rng.normal(size=(6, *a.shape)), jnp.float32) for a in w) for _ in range(2))

    def critic(x):
        return sum(jnp.sum(a * b, (1, 2, 3)) for a, b in zip(x, w, strict=True))

    found = {name: float(of(PENALTIES[name], critic, real, fake, KEY)) for name in PENALTIES if name != "dragan"}
    assert found["gradient_penalty"] == pytest.approx((0.5**2 + 0 + 2**2) / 3, rel=1e-5)
    assert found["one_sided"] == pytest.approx(2**2 / 3, rel=1e-5)
    assert found["r1"] == found["r2"] == pytest.approx((0.5**2 + 1 + 3**2) / 2, rel=1e-5)


def test_images_in_several_sizes_are_mixed_with_one_weight_an_example():
    real, fake = (tuple(jnp.full((5, side, side, 1), value) for side in (2, 4)) for value in (0.0, 1.0))
    small, large = interpolates(real, fake, KEY)
    np.testing.assert_array_equal(small[:, 0, 0], large[:, 3, 3])
    assert len(np.unique(small[:, 0, 0])) == 5
