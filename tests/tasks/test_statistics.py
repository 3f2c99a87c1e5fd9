"""The average of w: moved by the critic's fakes on request, and copied into the averaged generator on request."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_nets
import pytest
from helpers import config_of

from genjax import tasks
from genjax.errors import InputError
from genjax.ops import noise

SHAPE, B = (4, 4, 3), 4
KEY = jax.random.key(5)


def build(**overrides):
    c = config_of("stylegan2", latent=5, batch=B, augment="", ema__half_life=50.0, **overrides)
    c.generator = {"net": "stylegan2", "channels": (4,), "width": 7, "layers": 2}
    c.critic = {"net": "stylegan2", "channels": (4,)}
    return tasks.build(c, SHAPE)


@pytest.fixture(scope="module")
def steps():
    """The state before a step and after the steps 3 and 4, the second with path lengths, by default and on request."""
    x = jnp.asarray(np.random.default_rng(0).integers(0, 256, (1, B, *SHAPE), np.uint8))
    state, found = jax.device_get(jax.jit(build().init)(jax.random.key(0))), []
    for overrides in ({}, {"critic_moves_statistics": True, "ema__statistics": "copied"}):
        step = jax.jit(build(**overrides).phases[0].step)
        found.append([jax.device_get(step(state.replace(step=np.int32(n)), {"x": x}, KEY)[0]) for n in (3, 4)])
    return state, *found


def mean_w(state, key):
    """The mean w of a batch of latents, by the formula of the mapping."""
    params = jax.tree.map(np.float64, state.nets["generator"].params["mapping"])
    return numpy_nets.mapping(params, np.float64(noise.normal(key, B, (5,))), np.sqrt(2)).mean(0)


def of(variables):
    return np.asarray(variables["average"]["mapping"]["w_avg"])


def folded(*numbers):
    key = KEY
    for number in numbers:
        key = jax.random.fold_in(key, number)
    return key


@pytest.mark.heavy
def test_the_average_of_w_moves_with_the_critics_fakes_then_with_the_generators(steps):
    """w_avg <- 0.995 w_avg + 0.005 mean(w), once for each batch of latents."""
    before, (alone, _), (after, _) = steps
    of_critic = jax.random.fold_in(jax.random.split(folded(1), 1)[0], 0)
    expected = np.zeros(7)
    for key in (of_critic, folded(0, 0)):
        expected = 0.995 * expected + 0.005 * mean_w(before, key)
    np.testing.assert_allclose(of(after.nets["generator"].stats), expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(of(alone.nets["generator"].stats), 0.005 * mean_w(before, folded(0, 0)), rtol=1e-4)


@pytest.mark.heavy
def test_the_averaged_generator_has_a_copy_of_the_average_of_w(steps):
    """After path length regularization too, which moves it once more; weights are averaged as before."""
    _, (_, averaged), (without, after) = steps
    np.testing.assert_array_equal(of(after.ema["generator"]), of(after.nets["generator"].stats))
    assert (of(after.ema["generator"]) != of(without.ema["generator"])).any()
    for ours, others in zip(*(jax.tree.leaves(s.ema["generator"]["params"]) for s in (after, averaged)), strict=True):
        np.testing.assert_array_equal(ours, others)
    assert (of(averaged.ema["generator"]) != of(after.ema["generator"])).any()


@pytest.mark.heavy
@pytest.mark.parametrize("more", [{}, {"grad_accum_steps": 2}, {"critic_steps": 2}])
def test_a_step_keeps_the_form_of_the_state(more):
    task = build(critic_moves_statistics=True, ema__statistics="copied", **more)
    state = jax.eval_shape(task.init, jax.random.key(0))
    batch = {"x": jax.ShapeDtypeStruct((more.get("critic_steps", 1), B, *SHAPE), np.uint8)}
    after, _ = jax.eval_shape(task.phases[0].step, state, batch, KEY)
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, state)


def test_another_way_is_refused():
    with pytest.raises(InputError, match=r"ema.statistics: no 'copy'.*did you mean 'copied'"):
        build(ema__statistics="copy")
