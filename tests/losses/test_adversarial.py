"""Each loss against its formula in float64: sigmoids, logarithms and expectations written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.losses.adversarial import LOSSES

REAL, FAKE = np.array([2.0, -1.0, 0.3, 30.0]), np.array([-3.0, 0.5, 1.5, -25.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log(p):
    """Of sigmoid(x) and of 1 - sigmoid(x) = sigmoid(-x), exact in float64 for the logits above."""
    return np.log(p)


def game(real, fake, label):
    """arXiv:1406.2661, eq. 1, with a label for reals: what critic maximizes, E log D(x) + E log(1 - D(G(z)))."""
    on_real = label * log(sigmoid(real)) + (1 - label) * log(sigmoid(-real))
    return on_real.mean() + log(sigmoid(-fake)).mean()


def relative(real, fake):
    """arXiv:1807.00734: how much more real an example is than the other kind on average."""
    return real - fake.mean(), fake - real.mean()


def hinge(real, fake):
    """arXiv:1802.05957, eq. 16, which is to be maximized, negated."""
    return -(np.minimum(0, -1 + real).mean() + np.minimum(0, -1 - fake).mean())


def average(real, fake):
    towards, away = relative(real, fake)
    return -log(sigmoid(towards)).mean() - log(sigmoid(-away)).mean()


FORMULAS = {
    "minimax": (lambda r, f: -game(r, f, 1) / 2, lambda r, f: log(sigmoid(-f)).mean()),
    "non_saturating": (lambda r, f: -game(r, f, 1) / 2, lambda r, f: -log(sigmoid(f)).mean()),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    "hinge": (hinge, lambda r, f: -f.mean()),
    "least_squares": (
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda r, f: ((f - 1) ** 2).mean() / 2,
    ),
    "relativistic_average": (average, lambda r, f: average(f, r)),
    "relativistic_hinge": (lambda r, f: hinge(*relative(r, f)), lambda r, f: hinge(*relative(f, r))),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_its_formula_on_both_sides(name):
    for ours, formula in zip(LOSSES[name][:2], FORMULAS[name], strict=True):
        np.testing.assert_allclose(ours(REAL, FAKE), formula(REAL, FAKE), rtol=1e-6)


@pytest.mark.parametrize("target", [0.9, 0.7])
def test_a_smoothed_label_is_that_of_reals_alone(target):
    for name in ("minimax", "non_saturating"):
        np.testing.assert_allclose(LOSSES[name].critic(REAL, FAKE, target), -game(REAL, FAKE, target) / 2, rtol=1e-6)
    expected = ((REAL - target) ** 2).mean() / 2 + (FAKE**2).mean() / 2
    np.testing.assert_allclose(LOSSES["least_squares"].critic(REAL, FAKE, target), expected, rtol=1e-6)


@pytest.mark.parametrize("target", [0.9, 1.0])
def test_the_best_critics_answer_on_reals_is_the_smoothed_label(target):
    """The cross-entropy is least where the sigmoid is the label: its slope is zero there, or at infinity."""
    best = np.log(target / (1 - target)) if target < 1 else 40.0
    slope = jax.grad(lambda r: LOSSES["non_saturating"].critic(r, jnp.zeros(1), target))(jnp.array([best]))
    np.testing.assert_allclose(slope, 0, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in LOSSES if LOSSES[name].labels])
def test_the_losses_that_have_labels_take_a_target_and_say_so(name):
    assert LOSSES[name].critic(REAL, FAKE, target=0.8) != LOSSES[name].critic(REAL, FAKE)


@pytest.mark.parametrize("name", [name for name in LOSSES if not LOSSES[name].labels])
def test_the_others_take_none(name):
    with pytest.raises(TypeError):
        LOSSES[name].critic(REAL, FAKE, target=0.8)


def test_only_a_loss_without_a_floor_is_ever_negative():
    real, fake = np.random.default_rng(0).normal(0, 5, (2, 1000, 3))
    for name, loss in LOSSES.items():
        least = min(float(loss.critic(r, f)) for r, f in zip(real[:50], fake[:50], strict=True))
        assert (least >= 0) == loss.floor, name


@pytest.mark.heavy
@pytest.mark.parametrize("name", LOSSES)
def test_values_and_slopes_stay_finite_at_far_logits(name):
    for real, fake in ((1e4, 1e4), (1e4, -1e4), (-1e4, 1e4), (-1e4, -1e4)):
        for side in LOSSES[name][:2]:
            value, slopes = jax.value_and_grad(side, (0, 1))(jnp.full(2, real), jnp.full(2, fake))
            assert np.isfinite(value)
            assert np.isfinite(slopes).all()


def test_a_critic_that_is_wrong_by_far_pays_in_proportion():
    far = jnp.array([1e4])
    loss, slope = jax.value_and_grad(lambda r: LOSSES["non_saturating"].critic(r, far))(-far)
    np.testing.assert_allclose(loss, 1e4)
    np.testing.assert_allclose(slope, -1 / 2)


def test_an_undecided_critic_pays_log_two():
    zeros = jnp.zeros(8)
    for name in ("non_saturating", "minimax"):
        np.testing.assert_allclose(LOSSES[name].critic(zeros, zeros), np.log(2), rtol=1e-6)
    np.testing.assert_allclose(LOSSES["relativistic_average"].critic(zeros, zeros), 2 * np.log(2), rtol=1e-6)


def test_against_a_perfect_critic_the_minimax_generator_learns_nothing_and_the_non_saturating_one_does():
    """The slopes in the logit l are -sigmoid(l) = -exp(-40) and -sigmoid(-l) = -1 at l = -40."""
    sure = jnp.array([-40.0])
    slope = {name: jax.grad(LOSSES[name].generator, 1)(-sure, sure)[0] for name in ("minimax", "non_saturating")}
    np.testing.assert_allclose(slope["minimax"], -np.exp(-40), rtol=1e-5)
    np.testing.assert_allclose(slope["non_saturating"], -1, rtol=1e-6)


def test_a_relativistic_generator_moves_both_kinds_towards_each_other():
    for name in ("relativistic_average", "relativistic_hinge"):
        on_real, on_fake = jax.grad(LOSSES[name].generator, (0, 1))(jnp.array([1.0, 1.5]), jnp.array([-1.0, -1.5]))
        assert (on_real > 0).all()
        assert (on_fake < 0).all()
