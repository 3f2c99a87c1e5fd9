"""A GAN's nets, loss, penalty and augmentations, and its task, from somebody else's module."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.errors import InputError

SOURCE = '''
"""A generator, a critic, a loss, a penalty, an augmentation and a task that are not ours."""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.losses.adversarial import Adversarial
from genjax.tasks import gan


class Generator(nn.Module):
    shape: tuple[int, ...]
    scale: float = 1.0
    output: str = "linear"
    conditioning: ClassVar[str] = "concat"

    @nn.compact
    def __call__(self, z, train=False, class_onehot=None):
        return self.scale * nn.Dense(self.shape[0])(z)


class Critic(nn.Module):
    minibatch: ClassVar[str] = ""
    batch_norm: ClassVar[bool] = False
    conditioning: ClassVar[str] = "concat"

    @nn.compact
    def __call__(self, x, train=False, class_onehot=None):
        return nn.Dense(1)(x.reshape(len(x), -1))[:, 0]


class Incomplete(nn.Module):
    minibatch: ClassVar[str] = ""

    def __call__(self, x, train=False, class_onehot=None):
        return x


loss = Adversarial(lambda real, fake: 3 + 0 * real.mean(), lambda real, fake: 5 + 0 * fake.mean())


def penalty(critic, real, fake, key):
    return 7 + 0 * critic(real).mean()


def flip(x, key):
    return -x


class task:
    """The task "gan" with other defaults."""

    build = gan.build

    @staticmethod
    def config():
        c = gan.config()
        c.latent = 3
        return c
'''


@pytest.fixture
def config(tmp_path, monkeypatch):
    (tmp_path / "somebody.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "somebody", raising=False)  # of another test
    c = config_of("gan")
    c.generator, c.critic = {"net": "somebody:Generator"}, {"net": "somebody:Critic"}
    return c


def metrics_of_a_step(config, shape=(2,), dtype=np.float32):
    task = tasks.build(config, shape)
    state = jax.jit(task.init)(jax.random.key(0))
    x = jnp.ones((1, config.batch, *shape), dtype)
    return jax.jit(task.phases[0].step)(state, {"x": x}, jax.random.key(1))[1]


@pytest.mark.heavy
def test_nets_losses_and_penalties_of_others_train(config):
    config.loss.name = "somebody:loss"
    config.penalty.name, config.penalty.weight = "somebody:penalty", 0.5
    metrics = metrics_of_a_step(config)
    assert metrics["critic/penalty"] == 7
    assert metrics["critic/loss"] == 3 + 0.5 * 7
    assert metrics["generator/loss"] == 5


@pytest.mark.heavy
def test_an_augmentation_of_others_combines_with_ours(config):
    config.generator, config.penalty.r1 = {"net": "mlp", "widths": ()}, 0.0
    config.augment = "somebody:flip, cutout"
    assert np.isfinite(metrics_of_a_step(config, (4, 4, 1), np.uint8)["critic/loss"])


def test_a_task_of_others_has_its_own_defaults(config):
    assert tasks.default_config("somebody:task").latent == 3
    config.task = "somebody:task"
    assert np.isfinite(metrics_of_a_step(config)["critic/loss"])


REFUSED = {
    "a net that lacks a field": ({"critic.net": "somebody:Incomplete"}, "lacks 'batch_norm'"),
    "an unknown field": ({"generator.scales": 2.0}, "did you mean 'scale'"),
    "a field of another type": ({"generator.scale": "large"}, "generator.scale='large': expected float"),
    "a net in place of a loss": ({"loss.name": "somebody:Critic"}, "expected a genjax.losses.adversarial.Adversarial"),
    "a penalty of two arguments": (
        {"penalty.name": "somebody:flip", "penalty.weight": 1.0},
        r"expected a function \(critic, real, fake, key\)",
    ),
    "a penalty without a weight": ({"penalty.name": "somebody:penalty"}, "set both, or neither"),
    "a weight without a penalty": ({"penalty.weight": 1.0}, "set both, or neither"),
    "a penalty without a module": ({"penalty.name": "r3", "penalty.weight": 1.0}, "expected a name of the form"),
    "an augmentation of four arguments": ({"augment": "somebody:penalty"}, r"expected a function \(x, key\)"),
    "no task": ({"task": "somebody:loss"}, r"expected an object with config\(\) and build\(config, shape\)"),
    "no such name": ({"critic.net": "somebody:Critc"}, "did you mean 'Critic'"),
    "no such module": ({"critic.net": "nobody:Critic"}, "cannot be imported"),
    "a choice of ours misspelled": (
        {"critic.net": "mpl"},
        "did you mean 'mlp'.*choose from 'mlp'.*package.module:name",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_by_name(config, case):
    overrides, message = REFUSED[case]
    for key, value in overrides.items():
        section, _, field = key.rpartition(".")
        with (config[section] if section else config).unlocked() as part:
            part[field] = value
    with pytest.raises(InputError, match=message):
        tasks.build(config, (2,))
