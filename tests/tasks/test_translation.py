"""Translation: what the critic and the distance are of, that use pads and repeats itself, refusals."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.data.translation import masked
from genjax.errors import InputError
from genjax.metrics.perceptual import perceptual_distance
from genjax.ops import lab
from genjax.ops.jitter import jitter
from genjax.tasks.adversarial import Players, Setup
from genjax.tasks.adversarial.keys import CriticLossKeys, derive
from genjax.tasks.adversarial.losses import penalty
from genjax.tasks.adversarial.setup import Examples, Penalty
from genjax.tasks.translating import Lab
from genjax.tasks.translation import masked_again

SHAPE = (8, 8, 4)


def small(**overrides):
    """Gray to color at 8x8, without noise."""
    config = config_of("colorize", generator__channels=(4, 6), batch=2, data__mirror=False, **overrides)
    config.generator.dropout = 0.0
    config.critic = {"net": "patchgan", "channels": (4, 4)}
    return config


@pytest.fixture(scope="module")
def stepped():
    """A task, its state before and after a step, the batch and the metrics."""
    task = tasks.build(small(loss__name="hinge", loss__perceptual=7.0), SHAPE)
    state = jax.jit(task.init)(jax.random.key(0))
    x = np.random.default_rng(0).integers(0, 256, (1, 2, *SHAPE), np.uint8)
    after, metrics = jax.jit(task.phases[0].step)(state, {"x": jnp.asarray(x)}, jax.random.key(1))
    return task, state, after, x[0], metrics


@pytest.mark.heavy
def test_a_step_measures_the_distance_from_the_target_and_moves_all(stepped):
    task, state, after, x, metrics = stepped
    y = np.asarray(jax.jit(task.outputs["translate"])(state, x), np.float64)
    distance = np.abs(y - x[..., 1:]).mean() / 127.5  # pixels from -1 to 1
    assert float(metrics["generator/l1"]) == pytest.approx(distance, rel=1e-5)
    of_maps = float(jax.jit(perceptual_distance())(jnp.asarray(y), jnp.asarray(x[..., 1:])).mean())
    assert float(metrics["generator/perceptual"]) == pytest.approx(of_maps, rel=1e-3)
    adversarial = float(metrics["generator/loss"]) - 100 * distance - 7 * of_maps
    assert abs(adversarial) < 1  # of new nets, whose logits are near 0
    for net in ("generator", "critic"):
        moved = jax.tree.map(lambda a, b: np.any(np.not_equal(a, b)), state.nets[net].params, after.nets[net].params)
        assert all(layer["kernel"] for name, layer in moved.items() if "Conv" in name)


def test_a_penalty_is_of_the_mean_logit_of_an_examples_patches():
    players = Players(None, lambda variables, x, step, **options: (x[..., 0], {}), None)
    given = Penalty(lambda critic, real, fake, key: critic(real), 1.0)
    setup = replace(Setup.of(small(), players, SHAPE, 2), penalties={"r1": given})
    x = np.random.default_rng(0).normal(size=(2, *SHAPE))
    keys = derive(CriticLossKeys, jax.random.key(0))
    found = penalty(setup, "r1", {}, {}, Examples(jnp.asarray(x), None), Examples(x, None), keys, 0, {})
    np.testing.assert_allclose(found, x[..., 0].mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize("sees", [True, False])
def test_the_critic_sees_the_input_if_it_shall(sees):
    task = tasks.build(small(critic_sees_input=sees), SHAPE)
    state = jax.eval_shape(task.init, jax.random.key(0))
    assert state.nets["critic"].params["Conv_0"]["kernel"].shape == (4, 4, 4 if sees else 3, 4)


@pytest.mark.heavy
def test_use_takes_inputs_alone_and_any_size_and_each_image_by_itself(stepped):
    task, state, _, x, _ = stepped
    translate = jax.jit(task.outputs["translate"])
    whole = np.asarray(translate(state, x))
    np.testing.assert_array_equal(translate(state, x[..., :1]), whole)
    np.testing.assert_allclose(translate(state, x[1:]), whole[1:], atol=1e-3)
    odd = np.asarray(translate(state, x[:, :7, :6]))
    assert odd.shape == (2, 7, 6, 3)
    mirrored = np.pad(x[:, :7, :6], ((0, 0), (0, 1), (0, 2), (0, 0)), "symmetric")
    np.testing.assert_allclose(odd, np.asarray(translate(state, mirrored))[:, :7, :6], atol=1e-3)


def test_in_lab_the_lightness_is_given_and_the_color_made():
    """Outputs have the input's lightness; a pair's own a and b are its colors, up to the rounding of its gray."""
    task = tasks.build(small(data__name="lab:emoji_64", loss__adversarial=0.0), SHAPE)
    state = jax.jit(task.init)(jax.random.key(0))
    shapes = jax.tree.map(jnp.shape, {name: net.params for name, net in state.nets.items()})
    assert shapes["generator"]["ConvTranspose_1"]["bias"] == (2,)
    assert shapes["critic"]["Conv_0"]["kernel"] == (4, 4, 3, 4)
    target = np.random.default_rng(0).integers(60, 200, (1, 8, 8, 3), np.uint8)
    x = np.concatenate([lab.gray_of(target), target], -1)
    y = np.asarray(jax.jit(task.outputs["translate"])(state, x[..., :1]), np.float64)
    inside = ((y > 0) & (y < 255)).all(-1)
    assert inside.mean() > 0.9
    found, wanted = lab.from_srgb(y / 255), lab.from_srgb(target / 255)
    np.testing.assert_allclose(found[inside][:, 0], lab.lightness(x[..., 0] / 255)[inside], atol=1e-3)
    _, metrics = jax.jit(task.phases[0].step)(state, {"x": jnp.asarray(x)[None]}, jax.random.key(1))
    distance = np.abs(found - wanted)[..., 1:].mean() / 110
    assert float(metrics["generator/l1"]) == pytest.approx(distance, rel=0.02 if inside.all() else 0.1)
    for output in ("tanh", "sigmoid"):
        encoded = Lab(output).encode(jnp.asarray(x))
        np.testing.assert_allclose(Lab(output).decode(encoded[..., :1], encoded[..., 1:]), target, atol=1.6)


def test_jitter_is_a_crop_of_the_enlarged_image_whose_input_and_target_stay_together():
    ramp = np.broadcast_to(np.arange(8.0)[:, None], (8, 8))
    x = np.float32(np.stack([ramp, ramp.T, ramp], -1))[None].repeat(5, 0)
    y = np.asarray(jitter(jnp.asarray(x), 8, jax.random.key(0)))
    assert y.shape == x.shape
    np.testing.assert_array_equal(y[..., 0], y[..., 2])
    inner = np.diff(y[..., 0], axis=1)
    assert (inner < 0.5 + 1e-5).all()  # twice the size is half the slope, and none at the border
    assert np.median(inner) == pytest.approx(0.5, abs=1e-5)
    assert len(np.unique(y[:, 0, 0, 0])) > 1
    np.testing.assert_allclose(jitter(jnp.asarray(x), 0, jax.random.key(0)), x, atol=1e-6)


def test_a_hole_has_a_sharp_border_after_jitter():
    """As if the enlarged crop had been given the hole: with the mask's border where the blurred one is half white."""
    target = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1), np.uint8)
    known = np.ones((2, 8, 8), bool)
    known[:, 2:5, 3:7] = False
    sharp = np.float32(np.concatenate([masked(target, known), target], -1)) / 127.5 - 1
    np.testing.assert_allclose(masked_again(jnp.asarray(sharp), 2, "tanh"), sharp, atol=1e-6)
    y = np.asarray(masked_again(jitter(jnp.asarray(sharp), 3, jax.random.key(1)), 2, "tanh"))
    holes = y[..., 1] == -1
    assert holes.any(axis=(1, 2)).all()
    assert (y[~holes][:, 1] == 1).all()
    np.testing.assert_array_equal(y[~holes][:, 0], y[~holes][:, 2])
    np.testing.assert_allclose(y[holes][:, 0], 128 / 127.5 - 1, atol=1e-6)


def test_a_critic_without_a_weight_is_not_trained():
    task = tasks.build(small(loss__adversarial=0.0), SHAPE)
    shapes = jax.eval_shape(task.init, jax.random.key(0))
    state = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    batch = {"x": jnp.zeros((1, 2, *SHAPE), jnp.uint8)}
    key = jax.random.key(0)

    def critic_after(critic):
        after, metrics = task.phases[0].step(state.replace(nets=state.nets | {"critic": critic}), batch, key)
        assert {name.split("/")[0] for name in metrics} == {"generator"}
        return after.nets["critic"]

    program = jax.make_jaxpr(critic_after)(state.nets["critic"]).jaxpr
    assert program.outvars == program.invars


@pytest.mark.parametrize(
    ("overrides", "shape", "message"),
    [
        ({}, (8, 8), "takes pairs of an input and its target as channels"),
        ({"data__name": "emoji_64"}, (8, 8, 3), "set data.name to a source of pairs, such as gray:emoji_64"),
        ({"input_channels": 4}, SHAPE, "input_channels=4"),
        ({}, (8, 10, 4), "8x10 pixels: set data.size, such as 8x8, or fewer generator.channels"),
        ({"loss__l1": -1.0}, SHAPE, "loss.l1=-1.0, loss.perceptual=0.0: expected 0 or more"),
        ({"loss__perceptual": -1.0}, SHAPE, "loss.perceptual=-1.0: expected 0 or more"),
        ({"jitter": -1}, SHAPE, "jitter=-1: expected 0 or more"),
        ({"loss__l1": 0.0, "loss__adversarial": 0.0}, SHAPE, "needs loss.feature_matching or loss.l1"),
        ({"loss__feature_matching": 1.0}, SHAPE, "loss.feature_matching=1.0 is not for translation"),
        ({"classes": 9}, SHAPE, "classes=9 is not for translation"),
        ({"data__bits": 16}, SHAPE, "takes images of 8 bits"),
        ({"critic__channels": (4, 4, 4, 4)}, SHAPE, "too small for these convolutions"),
        ({"generator__norm": "batch"}, SHAPE, "generator.norm: no 'batch'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(overrides, shape, message):
    config = config_of("colorize", **{"generator__channels": (4, 6), "critic__channels": (4, 4)})
    with config.unlocked():
        config.update_from_flattened_dict({key.replace("__", "."): value for key, value in overrides.items()})
        config.generator.update({k[11:]: v for k, v in overrides.items() if k.startswith("generator__")})
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        tasks.build(config, shape)
