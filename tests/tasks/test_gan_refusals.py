"""Impossible configs of GANs are refused by name before anything is compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import COMPILED, config_of

from genjax import tasks
from genjax.errors import InputError

IMAGES, POINTS = (28, 28, 1), (2,)
POINT_NETS = {"net": "mlp", "widths": (8,), "output": "linear"}, {"net": "mlp", "widths": (8,)}
compiled = []
jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name))


def refused(*texts, shape=IMAGES, critic=None, generator=None, **overrides):
    config = config_of("dcgan")
    if shape == POINTS:
        config.generator, config.critic = POINT_NETS
    for name, fields in (("critic", critic), ("generator", generator)):
        if fields:
            config[name] = dict(config[name]) | fields
    config.update_from_flattened_dict({key.replace("__", "."): value for key, value in overrides.items()})
    before = compiled.count(COMPILED)
    with pytest.raises(InputError) as found:
        tasks.build(config, shape)
    assert compiled.count(COMPILED) == before
    for text in texts:
        assert text in str(found.value)


@pytest.mark.parametrize("key", ["latent", "critic_steps", "packing", "penalty.interval", "ada.interval"])
def test_counts_below_one(key):
    refused(f"{key}=0: expected at least 1", **{key: 0})


@pytest.mark.parametrize("penalty", ["gradient_penalty", "one_sided", "dragan", "r1", "r2"])
def test_negative_penalties(penalty):
    refused(f"penalty.{penalty}=-1.0: expected 0 or more", **{f"penalty.{penalty}": -1.0})


@pytest.mark.parametrize(
    "key",
    [
        "loss.adversarial",
        "loss.feature_matching",
        "loss.auxiliary",
        "instance_noise.std",
        "instance_noise.steps",
        "critic_floor",
        "unroll",
        "ema.half_life",
        "ema.ramp",
        "replay.capacity",
    ],
)
def test_other_negative_numbers(key):
    value = -1 if key in ("instance_noise.steps", "unroll", "replay.capacity") else -1.0
    refused(f"{key}={value}: expected 0 or more", **{key: value})


@pytest.mark.parametrize("classes", [-1, 1])
def test_impossible_numbers_of_classes(classes):
    refused(f"classes={classes}: expected 0 (without labels) or at least 2", classes=classes)


CHOICES = {
    "a loss": (["loss.name", "'hinj'", "did you mean 'hinge'"], {"loss__name": "hinj"}),
    "an augmentation": (["augment", "'colr'", "did you mean 'color'"], {"augment": "colr,cutout"}),
    "an augmentation twice": (["augment='cutout,cutout'", "at most once"], {"augment": "cutout,cutout"}),
    "a conditioning": (["critic.conditioning", "did you mean 'projection'"], {"critic": {"conditioning": "projecton"}}),
    "a layer": (["critic.minibatch", "did you mean 'stddev'"], {"critic": {"minibatch": "stdev"}}),
    "a generator's": (
        ["generator.conditioning", "did you mean 'batch_norm'"],
        {"generator": {"conditioning": "batchnorm"}},
    ),
}


@pytest.mark.parametrize("what", CHOICES)
def test_names_that_do_not_exist(what):
    texts, given = CHOICES[what]
    refused(*texts, **given)


CLASHES = {
    "points and images' output": (
        ["the data are points of shape [2]", "set generator.output to linear"],
        {"shape": POINTS, "generator": {"output": "tanh"}},
    ),
    "images and points' output": (
        ["pixels of shape [28, 28, 1]", "set generator.output to tanh or sigmoid"],
        {"generator": {"output": "linear"}},
    ),
    "augmented points": (["augment='color'", "points: set augment=''"], {"shape": POINTS, "augment": "color"}),
    "smoothing that leaves nothing": (["loss.label_smoothing=1.0", "less than 1"], {"loss__label_smoothing": 1.0}),
    "negative smoothing": (["loss.label_smoothing=-0.1", "expected 0"], {"loss__label_smoothing": -0.1}),
    "smoothing without labels": (
        ["loss.label_smoothing=0.1", "loss.name='hinge'", "non_saturating"],
        {"loss__label_smoothing": 0.1, "loss__name": "hinge"},
    ),
    "a floor without a least value": (
        ["critic_floor=0.3", "'wasserstein'", "set it to 0"],
        {"critic_floor": 0.3, "loss__name": "wasserstein"},
    ),
    "nothing to learn from": (
        ["loss.adversarial=0", "loss.feature_matching"],
        {"loss__adversarial": 0.0},
    ),
    "a pack that does not divide": (["packing=3", "batch=8", "multiple"], {"packing": 3}),
    "a pack of classes": (["packing=2", "classes=10", "one of them off"], {"packing": 2, "classes": 10}),
    "groups that do not divide": (
        ["critic.minibatch='stddev'", "groups of 4", "6 logits", "multiple of 8"],
        {"critic": {"minibatch": "stddev"}, "batch": 12, "packing": 2},
    ),
    "groups of their own size": (
        ["critic.minibatch='stddev_strided'", "groups of 5", "8 logits", "multiple of 5"],
        {"critic": {"minibatch": "stddev_strided", "minibatch_group": 5}},
    ),
    "groups of none": (["critic.minibatch_group=0", "at least 1"], {"critic": {"minibatch_group": 0}}),
    "parts that there are not": (["ada.parts: no 'bgf'", "'bgc'"], {"ada__parts": "bgf"}),
    "no probability": (["ada.fixed=1.5", "a probability"], {"ada__fixed": 1.5}),
    "a small ring": (["replay.capacity=7", "batch of 8"], {"replay__capacity": 7}),
    "no share": (["replay.share=0.0", "above 0"], {"replay__capacity": 8, "replay__share": 0.0}),
    "a large share": (["replay.share=1.5", "up to 1"], {"replay__capacity": 8, "replay__share": 1.5}),
    "a projection of no class": (
        ["critic.conditioning='projection'", "set classes"],
        {"critic": {"conditioning": "projection"}},
    ),
    "scales of no class": (
        ["generator.conditioning='batch_norm'", "set classes"],
        {"generator": {"conditioning": "batch_norm"}},
    ),
    "a negative box": (["weight_clip=-0.1", "0 or more"], {"optimizer__critic__weight_clip": -0.1}),
}


@pytest.mark.parametrize("what", CLASHES)
def test_choices_that_do_not_fit_each_other_or_the_data(what):
    texts, given = CLASHES[what]
    refused(*texts, **given)


@pytest.mark.parametrize("penalty", ["gradient_penalty", "one_sided", "dragan", "r1", "r2"])
def test_a_critic_with_batch_normalization_under_any_penalty(penalty):
    texts = ["critic.batch_norm with a gradient penalty", "function of the whole batch", "set one of them off"]
    refused(*texts, critic={"batch_norm": True}, **{f"penalty__{penalty}": 1.0})


def conditional():
    config = config_of("gan")
    config.generator, config.critic = POINT_NETS
    config.classes = 3
    return tasks.build(config, POINTS)


@pytest.mark.heavy
@pytest.mark.parametrize("label", [3, -1])
def test_a_label_outside_the_classes_makes_the_loss_nan(label):
    task = conditional()
    labels = np.array([[0, 1, 2, 0, 1, 2, 0, label]])
    state = jax.jit(task.init)(jax.random.key(0))
    _, metrics = jax.jit(task.phases[0].step)(state, {"x": jnp.zeros((1, 8, 2)), "label": labels}, jax.random.key(0))
    assert np.isnan(metrics["critic/loss"])


def test_a_separate_penalty_step_without_a_penalty_or_with_unrolling():
    refused("penalty.separate_step=True without a penalty", penalty__separate_step=True)
    refused("penalty.separate_step=True with unroll=2", penalty__separate_step=True, penalty__r1=1.0, unroll=2)


def test_microbatches_that_do_not_divide_a_batch():
    refused("grad_accum_steps=0: expected at least 1, and a divisor of the 8 logits of a batch", grad_accum_steps=0)
    refused("grad_accum_steps=3: expected at least 1, and a divisor of the 4 logits", grad_accum_steps=3, packing=2)
    refused("grad_accum_steps=2 with unroll=1, which unrolls updates of a whole batch", grad_accum_steps=2, unroll=1)


def test_rematerialization_of_nets_that_have_none():
    refused("remat=True is not for these nets, which keep little: leave it at False", remat=True)
