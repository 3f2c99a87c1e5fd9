"""StyleGAN2's step: path lengths against the whole Jacobian, their running mean and interval; outputs with styles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call, config_of

from genjax import tasks
from genjax.engine.loop import shapes
from genjax.engine.phase import scheduled_phases
from genjax.errors import InputError
from genjax.nets.stylegan2 import Generator
from genjax.ops import noise

pytestmark = pytest.mark.heavy

SHAPE, CHANNELS, BATCH = (4, 4, 3), (4,), 8
KEY = jax.random.key(5)


def config(**overrides):
    c = config_of("stylegan2", latent=5, batch=BATCH, ema__half_life=50.0, **{"augment": ""} | overrides)
    c.generator = {"net": "stylegan2", "channels": CHANNELS, "width": 7, "layers": 2}
    c.critic = {"net": "stylegan2", "channels": CHANNELS}
    return c


def build(**overrides):
    return tasks.build(config(**overrides), SHAPE)


def images(seed=0):
    x = np.random.default_rng(seed).integers(0, 256, (1, BATCH, *SHAPE), np.uint8)
    return {"x": jnp.asarray(x)}


def advance(task, state, key=KEY):
    return jax.device_get(jax.jit(task.phases[0].step)(state, images(), key))


@pytest.fixture(scope="module")
def task():
    return build(path_length__interval=2)


@pytest.fixture(scope="module")
def states(task):
    """At the steps 0, 1, 2 and 3, with what the steps reported."""
    found, step = [(jax.device_get(jax.jit(task.init)(jax.random.key(0))), {})], jax.jit(task.phases[0].step)
    for number in range(3):
        found.append(jax.device_get(step(found[-1][0], images(), jax.random.fold_in(KEY, number))))
    return found


def test_path_lengths_are_those_of_the_jacobian():
    """|J^T y| by the whole Jacobian in the styles, for images y of noise over the root of their pixels."""
    still = build(path_length__interval=1, optimizer__generator__learning_rate=0.0)
    state = jax.jit(still.init)(jax.random.key(0)).replace(step=jnp.int32(3))
    state = state.replace(extra=state.extra | {"path_length": jnp.float32(0.2)})
    after, metrics = advance(still, state)

    net = Generator(SHAPE, CHANNELS, width=7, layers=2)
    variables = state.nets["generator"].variables
    k_z, k_styles, k_noise, k_y = jax.random.split(jax.random.fold_in(KEY, 2), 4)
    z, y = noise.normal(k_z, BATCH // 2, (5,)), noise.normal(k_y, BATCH // 2, SHAPE)
    styles = jax.jit(lambda z: net.apply(variables, z, k_styles, method="styles_in_training", mutable=["average"]))
    ws, _ = styles(z)
    jacobian = jax.jit(jax.jacrev(lambda ws: net.apply(variables, ws, k_noise, method="synthesize")))(ws)
    of_each = np.einsum("nhwcnld->nhwcld", np.float64(jacobian))
    slopes = np.einsum("nhwcld,nhwc->nld", of_each, np.float64(y) / SHAPE[0])
    lengths = np.sqrt(np.mean(np.sum(slopes**2, 2), 1))
    mean = 0.2 + 0.01 * (lengths.mean() - 0.2)
    np.testing.assert_allclose(metrics["generator/path_length"], lengths.mean(), rtol=1e-4)
    np.testing.assert_allclose(after.extra["path_length"], mean, rtol=1e-5)
    np.testing.assert_allclose(metrics["generator/unevenness"], np.mean((lengths - mean) ** 2), rtol=1e-3)


def test_paths_are_regularized_at_every_second_step(states):
    means = [float(state.extra["path_length"]) for state, _ in states]
    assert 0 == means[0] < means[1] == means[2] != means[3]
    assert [float(metrics["generator/unevenness"]) > 0 for _, metrics in states[1:]] == [True, False, True]
    counts = [int(state.nets["generator"].opt[0].count) for state, _ in states]
    assert counts == [0, 2, 3, 5]


def test_r1_is_a_separate_update_at_every_sixteenth_step(states):
    assert [float(metrics["critic/r1"]) > 0 for _, metrics in states[1:]] == [True, False, False]
    assert [int(state.nets["critic"].opt[0].count) for state, _ in states] == [0, 2, 3, 4]


def test_without_path_lengths_the_step_is_the_adversarial_one():
    task = build(path_length__weight=0.0)
    state, metrics = jax.eval_shape(task.phases[0].step, shapes(task), images(), KEY)
    assert "path_length" not in state.extra
    assert not any("path" in name for name in metrics)


def test_augmentation_follows_the_critics_confidence():
    """p is 0 at first; each interval of two steps moves it by 8 x 2 / 1,000 towards where reals are less sure.

    Of a DCGAN, whose step is the same function and compiles in a third of the time.
    """
    ada = {"ada__parts": "blit", "ada__kimg": 1.0, "ada__interval": 2, "ada__target": -1.0}
    c = config_of("dcgan", batch=BATCH, augment="ada", **ada)
    c.generator.channels = c.critic.channels = (4,)
    task = tasks.build(c, SHAPE)
    state, found = jax.jit(task.init)(jax.random.key(0)), []
    step = jax.jit(task.phases[0].step)
    for number in range(4):
        state, metrics = step(state, images(), jax.random.fold_in(KEY, number))
        found.append(float(metrics["critic/augment"]))
    np.testing.assert_allclose(found, [0, 0.016, 0.016, 0.032], rtol=1e-5)
    assert not any("sign" in name for name in metrics)


def test_the_average_w_moves_towards_the_batchs(states):
    """From zero it takes 1 - 0.995 of a batch's mean w: small at first, and never as it was."""
    sizes = [
        float(jnp.linalg.norm(state.nets["generator"].stats["average"]["mapping"]["w_avg"])) for state, _ in states
    ]
    assert 0 == sizes[0] < sizes[1] < 1
    assert sizes[2] != sizes[1]


def test_samples_of_no_psi_are_all_the_average(task, states):
    state = states[-1][0]
    x = call(task.outputs["sample"], state, jnp.arange(3), truncation=0.0)
    np.testing.assert_array_equal(x[0], x[2])
    as_they_are = call(task.outputs["sample"], state, jnp.arange(3))
    assert np.any(as_they_are[0] != as_they_are[2])
    np.testing.assert_array_equal(call(task.outputs["sample"], state, jnp.arange(3), truncation=1.0), as_they_are)
    np.testing.assert_array_equal(call(task.outputs["sample"], state, jnp.array([2])), as_they_are[2:])


def test_decoding_is_mapping_and_synthesis(task, states):
    outputs, state = task.outputs, states[-1][0]
    z = call(outputs["latents"], state, jnp.arange(3))
    w = call(outputs["map"], state, z)
    assert w.shape == (3, 7)
    images = call(outputs["decode"], state, z)
    np.testing.assert_array_equal(call(outputs["synthesize"], state, w), images)
    ws = jnp.repeat(w[:, None], 2 * len(CHANNELS), 1)
    np.testing.assert_array_equal(call(outputs["synthesize"], state, ws), images)
    assert np.any(call(outputs["decode"], state, z, ema=False) != images)


@pytest.mark.parametrize(
    ("message", "overrides"),
    [
        ("path_length: weight=-1.0", {"path_length__weight": -1.0}),
        ("interval=0", {"path_length__interval": 0}),
        ("share=1.5", {"path_length__share": 1.5}),
        ("decay=0.0", {"path_length__decay": 0.0}),
        (r"path_length.share=0.01 of batch=8 is no example", {"path_length__share": 0.01}),
        ("ada.target=0.6, ada.kimg=0.0", {"augment": "ada", "ada__kimg": 0.0}),
        ("packing=2 is not for these nets", {"packing": 2}),
        ("classes=1: expected 0", {"classes": 1}),
    ],
)
def test_impossible_configs_are_refused(message, overrides):
    with pytest.raises(InputError, match=message):
        build(**overrides)


@pytest.mark.parametrize(("name", "side"), [("stylegan", 1024), ("stylegan2", 1024)])
def test_the_published_settings_build(name, side):
    """25 million reals at most in StyleGAN's, and every stage from 8x8 on; nothing is computed."""
    published = config_of(name, "ffhq")
    task = tasks.build(published, (side, side, 3))
    state = jax.eval_shape(task.init, jax.random.key(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(state.nets["generator"].params)) > 25_000_000
    reals = sum(span.phase.steps * span.phase.batch for span in scheduled_phases(task))
    assert 24e6 < reals < 26e6


@pytest.mark.parametrize("letter", "ABCDEF")
def test_the_papers_ablations_are_variants(letter):
    """arXiv:1812.04948, table 1: what each row adds to the one before."""
    c = config_of("stylegan", letter)
    styles = c.generator.net == "stylegan"
    assert c.critic.bilinear == (letter > "A")
    assert styles == (letter > "B")
    assert (c.loss.name == "wasserstein") == (letter == "A")
    if styles:
        found = c.generator.constant_input, c.generator.noise, c.generator.mixing > 0
        assert found == (letter > "C", letter > "D", letter > "E")
    tasks.build(c, (32, 32, 3))
