"""Optimizers with weight clipping and decay, and steps over microbatches."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from genjax.engine.update import (
    accumulated_gradient_step,
    clip_weights,
    gradient_step,
    init_net,
    merge_microbatches,
    optimizer,
    split_microbatches,
)


def after(tx, params, grads):
    updates, _ = jax.jit(tx.update)(grads, tx.init(params), params)
    return jax.tree.map(lambda a: np.float64(a), optax.apply_updates(params, updates))


@pytest.mark.heavy
@pytest.mark.parametrize("scale", [0.3, 1.0, 30.0])
@pytest.mark.parametrize("limit", [0.01, 0.1, 1 / 3])
def test_every_parameter_is_within_the_box_exactly(limit, scale):
    """Weights from far within to far without, and updates of all sizes: float32 against the limit in float64."""
    rng = np.random.default_rng(0)
    shapes = {"kernel": (300, 200), "bias": (200,), "scale": (200,)}
    params = {name: jnp.float32(scale * rng.normal(size=shape)) for name, shape in shapes.items()}
    params["scale"] = jnp.ones(200)  # of a normalization, as it begins
    size = 10.0 ** rng.uniform(-9, 1, (300, 200))
    updates = {"kernel": jnp.float32(size * rng.normal(size=(300, 200))), "bias": jnp.zeros(200)}
    updates["scale"] = jnp.zeros(200)
    found = after(clip_weights(limit), params, updates)
    for name, value in found.items():
        assert np.abs(value).max() <= limit, name
    np.testing.assert_allclose(found["scale"], limit, rtol=1e-4)  # at the side, not somewhere within


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
def test_the_box_holds_after_updates_of_every_optimizer(name):
    rng, limit = np.random.default_rng(1), 0.01
    tx = optimizer(name, 0.3, weight_clip=limit)
    params = {"w": jnp.float32(rng.normal(0, 0.2, 5000))}
    state = tx.init(params)
    for _ in range(3):
        updates, state = tx.update({"w": jnp.float32(rng.normal(size=5000))}, state, params)
        params = optax.apply_updates(params, updates)
        assert np.abs(np.float64(params["w"])).max() <= limit


def test_an_update_that_stays_in_the_box_is_left_alone_to_the_bit():
    rng = np.random.default_rng(2)
    params, updates = jnp.float32(rng.uniform(-0.04, 0.04, 20_000)), jnp.float32(rng.uniform(-0.05, 0.05, 20_000))
    np.testing.assert_array_equal(after(clip_weights(0.1), params, updates), np.float64(params + updates))


def test_weights_that_are_not_numbers_stay_so():
    assert np.isnan(after(clip_weights(0.1), jnp.array([jnp.nan]), jnp.zeros(1))).all()


def test_the_learning_rate_falls_in_a_line_to_zero():
    tx = optimizer("sgd", 0.5, decay=4)
    params = jnp.zeros(1)
    state = tx.init(params)
    for expected in (0.5, 0.375, 0.25, 0.125, 0, 0):
        updates, state = tx.update(jnp.ones(1), state, params)
        np.testing.assert_allclose(updates, -expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
def test_an_update_of_a_differentiable_optimizer_has_a_slope_in_the_gradient_even_at_zero(name):
    tx = optimizer(name, 0.1, differentiable=True)
    params = jnp.zeros(4)
    grads = jnp.array([0.0, 1e-12, 1e-3, 1.0])
    update = lambda grads: tx.update(grads, tx.init(params), params)[0].sum()  # noqa: E731
    assert np.isfinite(jax.grad(update)(grads)).all()


@pytest.mark.parametrize("given", [{"weight_clip": -0.1}, {"decay": -1}, {"learning_rate": -0.1}])
def test_negative_numbers_are_refused(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))}=-"):
        optimizer(**{"name": "sgd", "learning_rate": 0.1} | given)


@pytest.mark.heavy
@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_the_gradient_over_microbatches_is_the_mean_so_that_it_is_that_of_the_whole_batch(count):
    """The gradient of mean((x w)^2) / 2 is mean(x^2) w, whatever the number of microbatches."""
    x = np.random.default_rng(0).normal(size=(8,)).astype(np.float32)
    net = init_net({"params": {"w": jnp.float32(2)}}, optimizer("sgd", 0.1))

    def loss(params, stats, x):
        value = jnp.mean((x * params["w"]) ** 2) / 2
        return value, (stats, {"loss": value})

    after, metrics = accumulated_gradient_step(net, optimizer("sgd", 0.1), loss, split_microbatches(x, count))
    np.testing.assert_allclose(after.params["w"], 2 - 0.1 * 2 * np.mean(x**2), rtol=1e-6)
    np.testing.assert_allclose(metrics["loss"], 2 * np.mean(x**2), rtol=1e-6)
    whole, _ = gradient_step(net, optimizer("sgd", 0.1), loss, x)
    np.testing.assert_allclose(after.params["w"], whole.params["w"], rtol=1e-6)


def test_merging_undoes_splitting_and_example_i_is_in_microbatch_i_modulo_count():
    x = np.arange(24).reshape(12, 2)
    parts = split_microbatches(jnp.asarray(x), 3)
    np.testing.assert_array_equal(parts[1], x[1::3])
    np.testing.assert_array_equal(merge_microbatches(parts), x)
