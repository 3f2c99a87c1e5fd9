"""Penalties of slopes before the critic's inputs are augmented, against the chain rule in NumPy."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.engine.loop import shapes
from genjax.errors import InputError
from genjax.ops import ada
from genjax.tasks.adversarial import Players, Setup
from genjax.tasks.adversarial.inputs import critic_input
from genjax.tasks.adversarial.keys import CriticLossKeys, derive
from genjax.tasks.adversarial.losses import penalty
from genjax.tasks.adversarial.setup import Examples

SHAPE, B = (4, 4, 1), 8
KEY, OTHER = jax.random.key(3), jax.random.key(4)
V = np.random.default_rng(0).normal(size=SHAPE)
X = np.random.default_rng(1).normal(size=(B, *SHAPE))


def change(x, key):
    """Each example scaled by its own number and moved by one pixel."""
    return jnp.roll(x, 1, 2) * jax.random.uniform(key, (len(x), 1, 1, 1), x.dtype, 1, 3)


def setup(**overrides):
    """A critic D(x) = (v . x)^2 / 2, whose slope is (v . x) v."""
    c = config_of("dcgan", penalty__r1=1.0, penalty__before_augmentation=True, **overrides)

    def critic(variables, x, step, **options):
        return jnp.sum(x * V.astype(x.dtype), (1, 2, 3)) ** 2 / 2, {}

    return Setup.of(c, Players(None, critic, None), SHAPE, B)


def r1(setup, extra=None):
    def measure(x):
        real = critic_input(setup, Examples(x, None), 0, extra, OTHER)
        return penalty(setup, "r1", {}, {}, real, real, derive(CriticLossKeys, KEY), 0, extra)

    return jax.jit(measure)(jnp.asarray(X))


def test_the_slope_is_in_the_picture_before_the_change_which_is_drawn_anew():
    """D(c roll(x)) has the slope c (v . c roll(x)) roll^-1(v), and |roll^-1(v)| = |v|; R1 is half its mean square."""
    with jax.enable_x64():
        ours = r1(replace(setup(), augmentations=(change,)))
        key = jax.random.fold_in(jax.random.fold_in(KEY, 4), 1)  # of the loss: the fifth; the first change
        factor = np.asarray(jax.random.uniform(key, (B, 1, 1, 1), float, 1, 3))[:, 0, 0, 0]
        logits = factor * (np.roll(X, 1, 2) * V).sum((1, 2, 3))
        np.testing.assert_allclose(ours, np.mean((factor * logits) ** 2 * (V**2).sum()) / 2, rtol=1e-12)


def test_by_default_the_slope_is_in_the_augmented_picture():
    with jax.enable_x64():
        given = setup()
        given.config.penalty.before_augmentation = False
        ours = r1(replace(given, augmentations=(change,)))
        factor = np.asarray(jax.random.uniform(jax.random.fold_in(OTHER, 1), (B, 1, 1, 1), float, 1, 3))[:, 0, 0, 0]
        logits = factor * (np.roll(X, 1, 2) * V).sum((1, 2, 3))
        np.testing.assert_allclose(ours, np.mean(logits**2 * (V**2).sum()) / 2, rtol=1e-12)


@pytest.mark.heavy
def test_adaptive_augmentation_is_differentiated_through():
    """It is affine in pixels: x -> A x + b. The slope in x is A^T v times the logit, with A of differences."""
    with jax.enable_x64():
        extra = {"ada": ada.init_state() | {"p": jnp.float32(0.8)}}
        ours = r1(setup(augment="ada"), extra)
        key = jax.random.fold_in(jax.random.fold_in(KEY, 4), 1)
        augment = jax.jit(lambda x: ada.augment(x, jnp.float32(0.8), key))
        base, units = np.asarray(augment(jnp.zeros((B, *SHAPE)))), np.eye(16).reshape(16, *SHAPE)
        columns = [np.asarray(augment(jnp.broadcast_to(unit, (B, *SHAPE)))) - base for unit in units]
        moved = np.stack([(column * V).sum((1, 2, 3)) for column in columns], 1)  # A^T v of each example
        logits = (base * V).sum((1, 2, 3)) + (moved * X.reshape(B, 16)).sum(1)
        np.testing.assert_allclose(ours, np.mean(logits**2 * (moved**2).sum(1)) / 2, rtol=1e-9)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "more", [{}, {"penalty__separate_step": True, "penalty__interval": 4}, {"grad_accum_steps": 2}]
)
def test_a_step_takes_it(more):
    c = config_of("dcgan", penalty__r1=1.0, penalty__before_augmentation=True, augment="ada", **more)
    task = tasks.build(c, (28, 28, 1))
    state = shapes(task)
    batch = {"x": jax.ShapeDtypeStruct((1, c.batch, 28, 28, 1), np.uint8)}
    _, metrics = jax.eval_shape(task.phases[0].step, state, batch, jax.eval_shape(lambda: jax.random.key(0)))
    assert "critic/r1" in metrics


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("penalty.before_augmentation=True without a penalty", {}),
        ("penalty.before_augmentation=True with packing=2", {"penalty__r1": 1.0, "packing": 2}),
    ],
)
def test_what_it_cannot_be_combined_with(text, overrides):
    with pytest.raises(InputError, match=text):
        tasks.build(config_of("dcgan", penalty__before_augmentation=True, **overrides), (28, 28, 1))


@pytest.mark.heavy
def test_a_fixed_probability_of_augmentation_does_not_adapt():
    c = config_of("dcgan", augment="ada", ada__fixed=0.25, ada__parts="blit", ada__interval=1)
    c.generator.channels = c.critic.channels = (4,)
    task = tasks.build(c, (8, 8, 1))
    state = jax.jit(task.init)(jax.random.key(0))
    x = np.random.default_rng(0).integers(0, 256, (1, c.batch, 8, 8, 1), np.uint8)
    after, metrics = jax.jit(task.phases[0].step)(state, {"x": x}, jax.random.key(1))
    assert float(after.extra["ada"]["p"]) == float(metrics["critic/augment"]) == 0.25
