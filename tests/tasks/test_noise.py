"""Noise in the layers of StyleGANs: stored in the state, and chosen for samples."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_keeps_state, config_of, step_inputs

from genjax import data, tasks
from genjax.config import NOISE
from genjax.engine.loop import shapes
from genjax.engine.outputs import noise_option
from genjax.errors import InputError

SHAPE = (8, 8, 3)


def config(name, **generator):
    c = config_of(name, latent=5, batch=4, **{"growth__start": 4} if name == "stylegan" else {})
    c.generator = dict(c.generator) | {"channels": (6, 4), "width": 7, "layers": 2} | generator
    c.critic = dict(c.critic) | {"channels": (6, 4)}
    return c


@pytest.fixture(scope="module")
def sampled():
    """The task's output "sample" of a generator whose noise shows."""
    c = config("stylegan2", channels=(6,))
    c.critic.channels = (6,)
    task = tasks.build(c, (4, 4, 3))
    state = jax.device_get(jax.jit(task.init)(jax.random.key(0)))
    loud = lambda path, a: a + 1.0 if "noise_scale" in jax.tree_util.keystr(path) else a  # noqa: E731
    ema = {"generator": jax.tree_util.tree_map_with_path(loud, state.ema["generator"])}
    state = state.replace(ema=ema)
    sample = jax.jit(task.outputs["sample"], static_argnames="noise")
    return lambda seeds, **noise: np.int32(sample(state, np.int32(seeds), **noise))


@pytest.mark.heavy
def test_random_noise_is_that_of_the_seed(sampled):
    both, alone = sampled([3, 9], noise="random"), sampled([9], noise="random")
    assert abs(both[1] - alone[0]).max() <= 1  # batches of different sizes: equal up to rounding
    for other in ("constant", "none"):
        assert abs(both - sampled([3, 9], noise=other)).max() > 5
    np.testing.assert_array_equal(sampled([3, 9], noise="constant"), sampled([3, 9]))


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["stylegan", "stylegan2"])
def test_stored_noise_is_a_part_of_the_state_that_steps_keep(name):
    c = config(name, stored_noise=True)
    c.data.update(name="emoji_32", size="8")
    source = data.load(c.data)
    task = tasks.build(c, SHAPE)
    state = shapes(task)
    assert "noise" in state.nets["generator"].stats
    assert "noise" in state.ema["generator"]
    for phase in task.phases[::2]:  # that which fades in between is traced by runs/test_arithmetic
        assert_keeps_state(jax.eval_shape(phase.prepared_step, *step_inputs(phase, source, state)), state)


def test_the_constant_noise_is_no_option():
    assert noise_option("constant", {"sample": lambda state, seeds: None}, "--noise") == {}
    assert noise_option("random", {"sample": lambda state, seeds, noise: None}, "--noise") == {"noise": "random"}


def test_noise_that_there_is_not_is_refused():
    with pytest.raises(InputError, match=r"eval.noise=random: only StyleGANs"):
        noise_option("random", {"sample": lambda state, seeds: None}, "eval.noise")
    with pytest.raises(InputError, match=r"eval.noise: no 'rnd'"):
        noise_option("rnd", {"sample": lambda state, seeds: None}, "eval.noise")
    task = tasks.build(config("stylegan", noise=False), SHAPE)
    assert "noise" in inspect.signature(task.outputs["sample"]).parameters
    for noise in NOISE[1:]:
        with pytest.raises(InputError, match="have no noise"):
            task.outputs["sample"](None, jnp.arange(2), noise=noise)
