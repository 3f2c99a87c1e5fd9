"""Steps of nets with classes: whose labels fakes and penalties have, and ProGAN's loss of a critic that classifies."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of
from numpy_nets import equalized_conv, equalized_dense, leaky_relu, with_spread

from genjax import tasks
from genjax.nets.progan import Generator
from genjax.nets.stylegan2 import Critic
from genjax.nets.stylegan2 import Generator as StyleGenerator
from genjax.ops import noise
from genjax.tasks.adversarial.keys import CriticKeys, GeneratorKeys, StepKeys, derive

pytestmark = pytest.mark.heavy

SHAPE, BATCH = (4, 4, 1), 8
KEY = jax.random.key(5)
LABELS = np.array([2, 0, 1, 1, 0, 2, 2, 1])
ONEHOT = np.eye(3)[LABELS]
X = np.random.default_rng(0).integers(0, 256, (1, BATCH, *SHAPE), np.uint8)
REALS = np.float64(X[0]) / 127.5 - 1
CLASSIFYING = {"loss__auxiliary": 0.5, "loss__drift": 0.1}
STILL = {f"optimizer__{net}__learning_rate": 0.0 for net in ("generator", "critic")}


def build(name, **overrides):
    """A task of three classes of images of one stage whose nets do not move."""
    given = {"classes": 3, "latent": 5, "batch": BATCH, "growth__start": 4, "path_length__weight": 0.0, "augment": ""}
    config = config_of(name, **STILL)
    config.penalty.separate_step = False
    known = {key: value for key, value in (given | overrides).items() if key.partition("__")[0] in config}
    config.update_from_flattened_dict({key.replace("__", "."): value for key, value in known.items()})
    small = {"width": 7, "layers": 2} if name == "stylegan2" else {}
    config.generator = {"net": name, "channels": (6,), **small}
    config.critic = {"net": name, "channels": (6,)}
    return tasks.build(config, SHAPE)


@functools.cache
def begun(name, **overrides):
    """The state at the beginning, and a step that is compiled once."""
    task = build(name, **overrides)
    return jax.device_get(jax.jit(task.init)(jax.random.key(0))), jax.jit(task.phases[0].step)


def run(name, labels=LABELS, **overrides):
    """The state at the beginning, and the metrics of a step."""
    state, step = begun(name, **overrides)
    return state, step(state, {"x": X, "label": labels[None]}, KEY)[1]


def cross_entropy(logits):
    """-log softmax at the label, a mean."""
    p = np.exp(logits)
    return -np.log(p[np.arange(BATCH), LABELS] / p.sum(1)).mean()


def test_progan_learns_to_classify_reals_and_fakes_by_the_authors_loss():
    """tkarras/progressive_growing_of_gans, loss.py: both cross-entropies, times a weight, join both losses."""
    state, metrics = run("progan", **CLASSIFYING)
    p = jax.tree.map(np.float64, state.nets["critic"].params)

    def judged(x):
        h = with_spread(leaky_relu(equalized_conv(p["from_rgb_0"], np.float64(x))))
        h = leaky_relu(equalized_dense(p["last_1"], leaky_relu(equalized_conv(p["last_0"], h)).reshape(BATCH, -1)))
        return equalized_dense(p["last_2"], h, gain=1)[:, 0], equalized_dense(p["class_logits"], h, gain=1)

    @jax.jit
    def fakes(key):
        z = noise.normal(key, BATCH, (5,))
        return Generator(SHAPE, (6,)).apply(state.nets["generator"].variables, z, class_onehot=ONEHOT)

    keys = derive(StepKeys, KEY)
    of_critic = derive(CriticKeys, jax.random.split(keys.critic, 1)[0]).latents
    (real, real_classes), (fake, fake_classes) = judged(REALS), judged(fakes(of_critic))
    classes = cross_entropy(real_classes) + cross_entropy(fake_classes)
    np.testing.assert_allclose(metrics["critic/classes"], classes, rtol=1e-4)
    expected = fake.mean() - real.mean() + 10 * metrics["critic/gradient_penalty"]
    expected += 0.1 * np.mean(real**2) + 0.5 * classes
    np.testing.assert_allclose(metrics["critic/loss"], expected, rtol=1e-4, atol=1e-4)
    fake, fake_classes = judged(fakes(derive(GeneratorKeys, keys.generator).latents))
    expected = -fake.mean() + 0.5 * cross_entropy(fake_classes)
    np.testing.assert_allclose(metrics["generator/loss"], expected, rtol=1e-4, atol=1e-4)


def test_r1_is_of_the_logits_of_the_reals_own_classes():
    state, metrics = run("stylegan2")
    net, variables = Critic((6,)), state.nets["critic"].variables

    @jax.jit
    def logits_and_slopes(onehot):
        logits, pull = jax.vjp(lambda x: net.apply(variables, x, class_onehot=onehot), jnp.asarray(REALS, jnp.float32))
        return logits, pull(jnp.ones_like(logits))[0]

    (logits, own), (_, others) = logits_and_slopes(ONEHOT), logits_and_slopes(ONEHOT[::-1])
    amount = lambda s: 16 * np.mean(np.sum(np.float64(s) ** 2, (1, 2, 3))) / 2  # noqa: E731  16, the interval
    np.testing.assert_allclose(metrics["critic/r1"], amount(own), rtol=1e-4)
    assert abs(amount(others) / metrics["critic/r1"] - 1) > 1e-3
    np.testing.assert_allclose(metrics["critic/real"], logits.mean(), rtol=1e-4, atol=1e-6)


def test_path_lengths_are_of_the_classes_of_the_first_reals():
    """Their formula is tested without classes; here for images that are linear in y, |J^T y| by `jax.vjp`."""
    state, metrics = run("stylegan2", path_length__weight=2.0, path_length__interval=1, penalty__r1=0.0)
    net = StyleGenerator(SHAPE, (6,), width=7, layers=2)
    k_z, k_styles, k_noise, k_y = jax.random.split(derive(StepKeys, KEY).path_length, 4)
    z, y = noise.normal(k_z, BATCH // 2, (5,)), noise.normal(k_y, BATCH // 2, SHAPE) / 4
    call = {"method": "styles_in_training", "mutable": ["average"]}

    @jax.jit
    def length(onehot):
        variables = state.nets["generator"].variables
        ws, _ = net.apply(variables, z, k_styles, class_onehot=onehot, **call)
        _, pull = jax.vjp(lambda ws: net.apply(variables, ws, k_noise, method="synthesize"), ws)
        return jnp.sqrt(jnp.sum(pull(y)[0] ** 2, 2).mean(1)).mean()

    np.testing.assert_allclose(metrics["generator/path_length"], length(ONEHOT[: BATCH // 2]), rtol=1e-4)
    assert abs(length(ONEHOT[BATCH // 2 :]) / metrics["generator/path_length"] - 1) > 1e-3


@pytest.mark.parametrize(("name", "overrides"), [("progan", CLASSIFYING), ("stylegan2", {})])
def test_a_label_outside_the_classes_makes_the_loss_nan(name, overrides):
    _, metrics = run(name, np.array([2, 0, 1, 1, 0, 2, 2, 3]), **overrides)
    assert np.isnan(metrics["critic/loss"])
