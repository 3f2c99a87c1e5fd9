"""GANs of images in all sizes: reals as pyramids, gradients at every stage, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call, config_of

from genjax import tasks
from genjax.errors import InputError
from genjax.tasks.msggan import pyramid

SHAPE = (8, 8, 1)


def small(**overrides):
    config = config_of("msggan", latent=5, **overrides)
    config.generator = {"net": "msggan", "channels": (6, 4)}
    config.critic = {"net": "msggan", "channels": (6, 4)}
    return config


def test_a_pyramid_is_of_means_of_blocks():
    x = np.random.default_rng(0).normal(size=(3, 16, 16, 2))
    found = pyramid(jnp.asarray(x, jnp.float32), 3)
    assert [a.shape[1] for a in found] == [4, 8, 16]
    for a in found:
        block = 16 // a.shape[1]
        expected = x.reshape(3, a.shape[1], block, a.shape[1], block, 2).mean((2, 4))
        np.testing.assert_allclose(a, expected, atol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("overrides", [{}, {"loss__name": "wasserstein", "penalty__gradient_penalty": 10.0}])
def test_one_step_moves_the_images_of_every_stage(overrides):
    task = tasks.build(small(**overrides), SHAPE)
    state = call(task.init, jax.random.key(0))
    x = np.random.default_rng(0).integers(0, 256, (1, 8, *SHAPE), np.uint8)
    after, metrics = jax.device_get(jax.jit(task.phases[0].step)(state, {"x": x}, jax.random.key(1)))
    assert all(np.isfinite(value) for value in metrics.values())
    for net in ("generator", "critic"):
        moved = jax.tree.map(lambda a, b: float(np.abs(a - b).max()), state.nets[net].params, after.nets[net].params)
        assert all(layer["kernel"] > 0 for layer in moved.values()), moved


@pytest.mark.heavy
def test_samples_are_the_largest_images():
    task = tasks.build(small(), SHAPE)
    state = call(task.init, jax.random.key(0))
    x = call(task.outputs["sample"], state, jnp.arange(5))
    assert x.shape == (5, *SHAPE)
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x[3:4], call(task.outputs["sample"], state, jnp.array([3])))


@pytest.mark.parametrize(
    ("message", "overrides"),
    [
        ("packing=2 is not for images of several sizes: leave it at 1", {"packing": 2}),
        ("augment=color is not for", {"augment": "color"}),
        ("penalty.dragan=1.0 is not for", {"penalty__dragan": 1.0}),
        ("no 'relativistic_hing' .did you mean 'relativistic_hinge'", {"loss__name": "relativistic_hing"}),
    ],
)
def test_impossible_configs_are_refused(message, overrides):
    with pytest.raises(InputError, match=message):
        tasks.build(small(**overrides), SHAPE)


def test_a_way_to_combine_that_does_not_exist_is_refused():
    config = small()
    config.critic = {"net": "msggan", "channels": (6, 4), "combine": "lincat"}
    with pytest.raises(InputError, match=r"critic.combine: no 'lincat'.*did you mean 'lin_cat'"):
        tasks.build(config, SHAPE)
