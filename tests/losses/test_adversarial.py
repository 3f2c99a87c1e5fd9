"""Losses and penalties against their formulas in float64, and in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.losses.adversarial import LOSSES
from genjax.losses.penalty import gradient_penalty, r1, value_and_slope

REAL, FAKE = np.array([2.0, -1.0, 0.3, 40.0]), np.array([-3.0, 0.5, 1.5, -50.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_bce_is_the_cross_entropy_of_all_examples_with_their_labels():
    labels = np.r_[np.ones(4), np.zeros(4)]
    p = sigmoid(np.r_[REAL, FAKE])
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(labels == 1, np.log(p), np.log1p(-p))
    critic, generator = LOSSES["non_saturating"].critic(REAL, FAKE), LOSSES["non_saturating"].generator(REAL, FAKE)
    np.testing.assert_allclose(critic, -terms.mean(), rtol=1e-6)
    np.testing.assert_allclose(generator, -np.log(sigmoid(FAKE)).mean(), rtol=1e-6)


def test_bce_of_an_undecided_critic_is_log_two():
    zeros = jnp.zeros(8)
    np.testing.assert_allclose(LOSSES["non_saturating"].critic(zeros, zeros), np.log(2), rtol=1e-6)
    np.testing.assert_allclose(LOSSES["non_saturating"].generator(zeros, zeros), np.log(2), rtol=1e-6)


def test_bce_stays_finite_where_the_sigmoid_saturates():
    far = jnp.array([1e4])
    loss, slope = jax.value_and_grad(lambda r: LOSSES["non_saturating"].critic(r, far))(-far)
    np.testing.assert_allclose(loss, 1e4)
    np.testing.assert_allclose(slope, -1 / 2)


def test_wasserstein_losses_are_differences_of_means():
    np.testing.assert_allclose(LOSSES["wasserstein"].critic(REAL, FAKE), FAKE.mean() - REAL.mean(), rtol=1e-6)
    np.testing.assert_allclose(LOSSES["wasserstein"].generator(REAL, FAKE), -FAKE.mean(), rtol=1e-6)


@pytest.fixture
def images():
    return jax.random.normal(jax.random.key(0), (6, 4, 3, 2)), jax.random.normal(jax.random.key(1), (6, 4, 3, 2))


def test_gradient_penalty_of_a_linear_critic_is_exact(images):
    w = jax.random.normal(jax.random.key(2), (4, 3, 2))
    penalty = gradient_penalty(lambda x: jnp.sum(x * w, (1, 2, 3)), *images, jax.random.key(3))
    np.testing.assert_allclose(penalty, (jnp.linalg.norm(w.ravel()) - 1) ** 2, rtol=1e-5)


def test_gradient_penalty_of_a_quadratic_critic_is_that_of_the_interpolates(images):
    # D(x) = |x|^2 / 2 has slope x, so the penalty between x and x is the mean of (|x| - 1)^2 whatever the weights.
    real, _ = images
    penalty = gradient_penalty(lambda x: jnp.sum(x**2, (1, 2, 3)) / 2, real, real, jax.random.key(3))
    norms = jnp.linalg.norm(real.reshape(6, -1), axis=1)
    np.testing.assert_allclose(penalty, jnp.mean((norms - 1) ** 2), rtol=1e-5)


def test_interpolation_weights_are_uniform_and_one_an_example():
    # With D(x) = x^2 / 2 on one pixel, from 0 to 1, the slope is the weight u: E (u - 1)^2 = 1/3, var = 4/45.
    n = 20_000
    penalty = gradient_penalty(lambda x: x[:, 0] ** 2 / 2, jnp.zeros((n, 1)), jnp.ones((n, 1)), jax.random.key(0))
    assert abs(float(penalty) - 1 / 3) < 4 * np.sqrt(4 / 45 / n)


def test_gradient_penalty_of_a_flat_critic_has_a_finite_gradient(images):
    loss = lambda a: gradient_penalty(lambda x: a * jnp.sum(x, (1, 2, 3)), *images, jax.random.key(0))  # noqa: E731
    value, slope = jax.value_and_grad(loss)(0.0)
    np.testing.assert_allclose(value, 1, rtol=1e-5)
    assert np.isfinite(slope)


def test_gradient_penalty_refuses_batches_of_two_sizes(images):
    with pytest.raises(ValueError, match="as many reals as fakes"):
        gradient_penalty(lambda x: x.sum((1, 2, 3)), images[0], images[1][:3], jax.random.key(0))


def test_r1_is_half_the_mean_squared_slope(images):
    logits, slope = value_and_slope(lambda x: jnp.sum(x**2, (1, 2, 3)) / 2, images[0])
    np.testing.assert_allclose(logits, jnp.sum(images[0] ** 2, (1, 2, 3)) / 2, rtol=1e-6)
    np.testing.assert_allclose(r1(slope), jnp.mean(jnp.sum(images[0] ** 2, (1, 2, 3))) / 2, rtol=1e-6)


def test_gradients_of_the_penalty_match_finite_differences():
    with jax.enable_x64(True):
        real, fake = (jax.random.normal(jax.random.key(i), (4, 5), jnp.float64) for i in (0, 1))
        w = jax.random.normal(jax.random.key(2), (5, 3), jnp.float64)
        v = jax.random.normal(jax.random.key(3), (3,), jnp.float64)
        penalty = lambda w: gradient_penalty(lambda x: jnp.tanh(x @ w) @ v, real, fake, jax.random.key(4))  # noqa: E731
        slope, step = jax.grad(penalty)(w), 1e-6
        for index in np.ndindex(w.shape):
            difference = (penalty(w.at[index].add(step)) - penalty(w.at[index].add(-step))) / (2 * step)
            np.testing.assert_allclose(slope[index], difference, rtol=1e-6, atol=1e-8)
