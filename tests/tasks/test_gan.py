"""A GAN's step is the two-phase update of its definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call

from configs import dcgan, demo, gan
from genjax import tasks
from genjax.errors import InputError
from genjax.ops import noise

SHAPE = (28, 28, 1)


def build(config, shape=SHAPE, **overrides):
    config.update_from_flattened_dict(overrides)
    return tasks.build(config, shape)


def start(task):
    return jax.device_get(jax.jit(task.init)(jax.random.key(0)))


def advance(task, state, batch=None):
    batch = reals(task) if batch is None else batch
    return jax.device_get(jax.jit(task.phases[0].step)(state, batch, jax.random.key(1))[0])


def small_dcgan():
    """With a convolution less in each net."""
    config = dcgan.get_config("smoke")
    config.generator.channels = config.critic.channels = (4,)
    return config


def reals(task, seed=0):
    phase = task.phases[0]
    pixels = np.random.default_rng(seed).integers(0, 256, (phase.batches_per_step, phase.batch, *SHAPE), dtype=np.uint8)
    return {"x": jnp.asarray(pixels)}


@pytest.mark.heavy
def test_a_step_is_the_two_phase_update_of_the_definition(monkeypatch):
    """One SGD step of the classic GAN against its definition written out: labels, sigmoid, log, one net fixed."""
    config = gan.get_config("smoke")
    for net in ("generator", "critic"):
        config.optimizer[net].update(name="sgd", learning_rate=0.1)
    task = build(config)
    z = jax.random.normal(jax.random.key(9), (config.batch, config.latent))
    monkeypatch.setattr(noise, "normal", lambda key, count, shape: z)
    state, batch = start(task), reals(task)

    def dense(layer, x):
        return x @ layer["kernel"] + layer["bias"]

    def generate(p):
        h = jax.nn.selu(dense(p["Dense_1"], jax.nn.selu(dense(p["Dense_0"], z))))
        return 1 / (1 + jnp.exp(-dense(p["Dense_2"], h)))

    def judge(p, x):
        h = jax.nn.selu(dense(p["Dense_1"], jax.nn.selu(dense(p["Dense_0"], x.reshape(len(x), -1)))))
        return 1 / (1 + jnp.exp(-dense(p["Dense_2"], h)[:, 0]))

    def cross_entropy(label, p):
        return -jnp.mean(label * jnp.log(p) + (1 - label) * jnp.log(1 - p))

    g, d = state.nets["generator"].params, state.nets["critic"].params
    x = np.concatenate([np.asarray(batch["x"][0]).reshape(config.batch, -1) / 255, jax.jit(generate)(g)])
    labels = np.repeat([1.0, 0.0], config.batch)
    slope = jax.jit(jax.grad(lambda d: cross_entropy(labels, judge(d, x))))(d)
    d = jax.tree.map(lambda p, s: p - 0.1 * np.asarray(s), d, slope)
    slope = jax.jit(jax.grad(lambda g: cross_entropy(1.0, judge(d, generate(g)))))(g)
    g = jax.tree.map(lambda p, s: p - 0.1 * np.asarray(s), g, slope)

    state = advance(task, state, batch)
    for name, expected in (("critic", d), ("generator", g)):
        for ours, theirs in zip(jax.tree.leaves(state.nets[name].params), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)
    assert state.step == 1


@pytest.mark.heavy
def test_each_critic_step_uses_other_reals():
    task = build(small_dcgan(), critic_steps=3)
    assert task.phases[0].batches_per_step == 3
    state, batch = start(task), reals(task)
    step = jax.jit(lambda batch: task.phases[0].step(state, batch, jax.random.key(1))[0].nets["critic"].params)
    after = step(batch)["Dense_0"]["kernel"]
    for position in range(3):
        changed = batch["x"].at[position].set(255 - batch["x"][position])
        assert (step({"x": changed})["Dense_0"]["kernel"] != after).any()


@pytest.mark.heavy
def test_only_the_generators_own_update_moves_its_statistics():
    task = build(small_dcgan(), **{"optimizer.generator.learning_rate": 0.0})
    one = build(small_dcgan(), **{"critic_steps": 4, "optimizer.generator.learning_rate": 0.0})
    stats = []
    for t in (task, one):
        state = start(t)
        stats.append(advance(t, state).nets["generator"].stats)
    assert jax.tree.leaves(stats[0])
    # momentum 0.99 once, whatever the number of critic steps: the mean moved by a hundredth of the batch's
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), *stats))


@pytest.mark.heavy
def test_the_average_follows_its_half_life():
    config = demo.get_config("smoke")
    task = build(config, **{"ema.half_life": 16.0, "ema.ramp": 1e9})
    state = start(task)
    after = advance(task, state)
    decay = 0.5 ** (config.batch / 16)  # 8 images: half of the half-life
    leaf = lambda s: s["params"]["Dense_0"]["kernel"]  # noqa: E731
    expected = decay * leaf(state.ema["generator"]) + (1 - decay) * leaf(after.nets["generator"].variables)
    np.testing.assert_allclose(leaf(after.ema["generator"]), expected, rtol=1e-5, atol=1e-7)
    assert "batch_stats" in after.ema["generator"]


@pytest.mark.heavy
def test_the_average_starts_as_a_short_one():
    task = build(gan.get_config("smoke"), **{"ema.half_life": 1e6, "ema.ramp": 0.05})
    state = start(task)
    after = advance(task, state)
    # Half-life 0.05 images after one image: 2 ** -20 of the first weights is left, nothing in float32's sight.
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5),
        after.ema["generator"],
        after.nets["generator"].variables,
    )


def test_a_samples_seed_is_all_it_depends_on():
    task = build(dcgan.get_config("smoke"))
    state = start(task)
    sample = jax.jit(task.outputs["sample"])
    together = jax.device_get(sample(state, np.array([5, 6, 7, 8])))
    shuffled = jax.device_get(sample(state, np.array([8, 5, 0, 6])))
    assert together.dtype == np.uint8
    np.testing.assert_array_equal(together[[3, 0, 1]], shuffled[[0, 1, 3]])


@pytest.mark.heavy
def test_truncation_bounds_the_latents_and_narrows_the_samples():
    config = gan.get_config("smoke")
    task = build(config, (2,), **{"generator.output": "linear"})
    state = start(task)
    wide, narrow = (call(task.outputs["sample"], state, jnp.arange(256), truncation=t) for t in (None, 0.1))
    assert narrow.std(0).max() < 0.2 * wide.std(0).min()


@pytest.mark.parametrize(
    ("overrides", "shape", "message"),
    [
        ({"loss.name": "hinj"}, SHAPE, "did you mean 'hinge'"),
        ({"critic.net": "dcgn"}, SHAPE, "did you mean 'dcgan'"),
        ({"generator.activation": "seul"}, SHAPE, "did you mean 'selu'"),
        ({"optimizer.critic.name": "adma"}, SHAPE, "did you mean 'adam'"),
        ({"critic_steps": 0}, SHAPE, "critic_steps=0"),
        ({"generator.output": "linear"}, SHAPE, "set generator.output to tanh or sigmoid"),
        ({}, (30, 28, 1), "divide by 4"),
    ],
)
def test_choices_that_do_not_exist_or_fit_are_refused(overrides, shape, message):
    with pytest.raises(InputError, match=message):
        build(dcgan.get_config(), shape, **overrides)


def test_a_misspelled_field_of_a_net_is_refused():
    config = dcgan.get_config()
    config.critic = {"net": "dcgan", "chanels": (1, 2)}
    with pytest.raises(InputError, match="did you mean 'channels'"):
        tasks.build(config, SHAPE)
    config.critic = {"net": "dcgan", "kernel": "5"}
    with pytest.raises(InputError, match="expected int"):
        tasks.build(config, SHAPE)
