"""Attacks on a linear model: the best images are known, by a closed form and by trying every corner."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.losses.classification import cross_entropies
from genjax.ops import attack

rng = np.random.default_rng(0)
WEIGHTS = rng.normal(size=(6, 2)).astype(np.float32)
INSIDE = rng.uniform(0.3, 0.7, (5, 6)).astype(np.float32)  # no bound of [0, 1] is near
LABEL = np.array([0, 1, 0, 1, 1])
EPSILON = 0.2


def linear(x):
    """The cross-entropies of a linear model of two classes."""
    return cross_entropies(x @ WEIGHTS, LABEL)


def best(x, epsilon):
    """The largest losses over all corners of what is allowed, where that of a linear model is."""
    low, high = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    corners = [np.where(corner, high, low) for corner in itertools.product([False, True], repeat=x.shape[1])]
    return np.max([linear(corner) for corner in corners], 0)


def test_fgsm_is_the_best_attack_on_a_linear_model():
    moved = attack.fgsm(linear, INSIDE, EPSILON)
    np.testing.assert_allclose(linear(moved), best(INSIDE, EPSILON), rtol=1e-6)
    difference = WEIGHTS[:, 1] - WEIGHTS[:, 0]  # arXiv:1412.6572, section 5: the margin falls by epsilon * |w|_1
    margin = np.where(LABEL, 1, -1) * (INSIDE @ difference)
    expected = np.log1p(np.exp(EPSILON * np.abs(difference).sum() - margin))
    np.testing.assert_allclose(linear(moved), expected, rtol=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_pgd_ends_at_that_point_from_any_start_and_stays_there(seed):
    start = attack.random_start(jax.random.key(seed), INSIDE, EPSILON)
    assert np.abs(start - INSIDE).max() <= EPSILON + 1e-6
    assert np.abs(start - INSIDE).max() > EPSILON / 2
    end = attack.pgd(linear, INSIDE, EPSILON, 0.05, 8, start)  # 8 steps of 0.05 cross the box
    np.testing.assert_allclose(end, attack.fgsm(linear, INSIDE, EPSILON), atol=1e-6)
    np.testing.assert_allclose(attack.pgd(linear, INSIDE, EPSILON, 0.05, 1, end), end, atol=1e-6)


def test_at_the_bounds_of_pixels_the_attacks_are_the_best_ones_too():
    x = rng.uniform(0, 1, (5, 6)).astype(np.float32).round()  # black or white
    np.testing.assert_allclose(linear(attack.fgsm(linear, x, EPSILON)), best(x, EPSILON), rtol=1e-5)
    end = attack.pgd(linear, x, EPSILON, 0.05, 8, x)
    np.testing.assert_allclose(linear(end), best(x, EPSILON), rtol=1e-5)


def test_one_step_without_a_random_start_is_fgsm():
    np.testing.assert_array_equal(
        attack.pgd(linear, INSIDE, EPSILON, EPSILON, 1, INSIDE), attack.fgsm(linear, INSIDE, EPSILON)
    )


def test_no_room_is_no_attack():
    np.testing.assert_array_equal(attack.fgsm(linear, INSIDE, 0.0), INSIDE)
    np.testing.assert_array_equal(attack.pgd(linear, INSIDE, 0.0, 0.1, 3, INSIDE + 1), INSIDE)


def test_what_is_nearest_is_nearer_than_anything_else_that_is_allowed():
    center, x = rng.uniform(0, 1, (1, 4)), rng.uniform(-1, 2, (1, 4))
    near = attack.nearest(x, center, 0.3)
    assert np.all(np.abs(near - center) <= 0.3 + 1e-6)
    assert np.all((near >= 0) & (near <= 1))
    np.testing.assert_array_equal(attack.nearest(near, center, 0.3), near)
    others = np.clip(rng.uniform(center - 0.3, center + 0.3, (2000, 4)), 0, 1)
    assert np.all(np.linalg.norm(others - x, axis=1) >= np.linalg.norm(near - x) - 1e-6)


def test_pgd_is_worse_than_fgsm_for_a_loss_that_bends():
    """A ridge whose slope at x points over the top: one long step passes it, short ones climb it."""

    def ridge(x):
        return -jnp.square(x - 0.55).sum(1)

    x = jnp.full((1, 3), 0.5)
    assert ridge(attack.fgsm(ridge, x, 0.3))[0] < ridge(x)[0]
    assert ridge(attack.pgd(ridge, x, 0.3, 0.02, 20, x))[0] > ridge(x)[0]


def test_an_examples_attack_does_not_depend_on_the_others():
    key = jax.random.key(3)
    whole = attack.random_start(key, INSIDE, EPSILON)
    np.testing.assert_array_equal(attack.random_start(key, INSIDE[:2], EPSILON), whole[:2])
