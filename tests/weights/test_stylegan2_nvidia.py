"""Pickles of StyleGAN2's authors give their nets, whose images and logits are those of the equations."""

import functools
import os

import jax
import numpy as np
import official_stylegan2 as official
import pytest
from official_stylegan2 import (
    LATENT,
    SIDE,
    contents,
    critic_module,
    images,
    judged,
    module,
    random_critic,
    random_generator,
    write,
)
from pickling import pickled

from genjax.errors import InputError
from genjax.weights import stylegan2_nvidia

RNG = np.random.default_rng(5)
Z = RNG.standard_normal((2, LATENT)).astype(np.float32)
X = RNG.standard_normal((8, SIDE, SIDE, 3)).astype(np.float32)


same = functools.partial(np.testing.assert_allclose, rtol=1e-6, atol=1e-6)  # demodulation's epsilon is at 1e-8


@pytest.mark.heavy
def test_images_and_logits_are_those_of_the_equations(tmp_path):
    weights = stylegan2_nvidia.read(write(tmp_path / "x.pkl"))
    assert weights.shape == (SIDE, SIDE, 3)
    assert weights.latent == LATENT
    assert (weights.augmentation, weights.mirror) == ((("blit", "geom", "color"), pytest.approx(0.37)), True)
    same(images(weights, Z, psi=0.7), official.image(random_generator(0), Z, 0.7))
    same(images(weights, Z, "generator"), official.image(random_generator(2), Z))
    same(judged(weights, X), official.logits(random_critic(), X, 4))


@pytest.mark.heavy
def test_clamps_and_groups_are_those_of_the_pickle(tmp_path):
    path = write(tmp_path / "x.pkl", clamp=1.5, group=8)
    weights = stylegan2_nvidia.read(path)
    expected = official.image(random_generator(0), Z, clamp=1.5)
    assert np.abs(expected - official.image(random_generator(0), Z)).max() > 0.1
    same(images(weights, Z), expected)
    same(judged(weights, X), official.logits(random_critic(), X, 8, 1.5))
    assert np.abs(judged(weights, X) - official.logits(random_critic(), X, 4, 1.5)).max() > 1e-4


def test_critics_without_shortcuts_and_without_a_statistic(tmp_path):
    arrays = random_critic(residual=False, statistic=0)
    critic = critic_module(arrays, group=0, architecture="orig")
    weights = stylegan2_nvidia.read(write(tmp_path / "x.pkl", D=critic))
    assert weights.fields["critic"]["residual"] is False
    same(judged(weights, X), official.logits(arrays, X, 0, residual=False))


def test_nets_by_class_are_those_of_the_equations(tmp_path):
    generator, critic = random_generator(3, classes=3), random_critic(classes=3)
    nets = {"G_ema": module("Generator", generator), "G": None, "D": critic_module(critic)}
    weights = stylegan2_nvidia.read(write(tmp_path / "x.pkl", **nets))
    assert (weights.classes, weights.latent) == (3, LATENT)
    onehots = np.eye(3)[np.arange(8) % 3]
    same(images(weights, Z, onehot=onehots[:2]), official.image(generator, Z, onehot=onehots[:2]))
    same(judged(weights, X, onehots), official.logits(critic, X, 4, onehot=onehots))


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_all_protocols_give_the_tensors_to_the_bit(protocol, tmp_path):
    weights = stylegan2_nvidia.read(write(tmp_path / "x.pkl", protocol))
    arrays = random_generator(0)
    found = weights.variables["average"]
    np.testing.assert_array_equal(found["params"]["mapping"]["dense_1"]["kernel"], arrays["mapping.fc1.weight"].T)
    np.testing.assert_array_equal(found["average"]["mapping"]["w_avg"], arrays["mapping.w_avg"])
    noise = arrays["synthesis.b16.conv0.noise_const"]
    np.testing.assert_array_equal(found["noise"]["convs_3"]["constant"], noise[None, :, :, None])
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(weights.variables))


@pytest.mark.parametrize("absent", [("D", "augment_pipe"), ("G",), ("G_ema", "D")])
def test_nets_may_be_absent(absent, tmp_path):
    weights = stylegan2_nvidia.read(write(tmp_path / "x.pkl", **dict.fromkeys(absent)))
    names = {"G": "generator", "D": "critic", "G_ema": "average"}
    assert weights.variables.keys() == {name for key, name in names.items() if key not in absent}
    assert (weights.augmentation is None) == ("augment_pipe" in absent)


def test_what_is_not_carried_over_is_said(tmp_path):
    changed = {"synthesis.b16": {"use_fp16": True}, "mapping": {"w_avg_beta": 0.998}}
    pipe = official.augmentation(xflip=1.0, rotate90=0.5, xint=1.0)
    notes = "\n".join(stylegan2_nvidia.read(write(tmp_path / "x.pkl", changed=changed, augment_pipe=pipe)).notes)
    for part in ("optimizer's state", "half precision", "with the decay 0.995", "augmentation is not carried over"):
        assert part in notes


OTHERS = {
    "D has 2 classes, and G 0": dict(D=critic_module(random_critic(classes=2))),
    "architecture 'resnet': genjax's StyleGAN2 has 'skip'": dict(changed={"synthesis.b8": {"architecture": "resnet"}}),
    "architecture 'skip': genjax's StyleGAN2 has 'resnet' or 'orig'": dict(changed={"b8": {"architecture": "skip"}}),
    "architectures orig and resnet": dict(changed={"b8": {"architecture": "orig"}}),
    "activation 'relu'": dict(changed={"synthesis.b8.conv1": {"activation": "relu"}}),
    "D.b4.fc has activation": dict(changed={"b4.fc": {"activation": "swish"}}),
    "bias_gain 1: genjax's StyleGAN2 has 0.01": dict(changed={"mapping.fc0": {"bias_gain": 1}}),
    "use_noise False": dict(changed={"synthesis.b4.conv1": {"use_noise": False}}),
    "images of 1 or 3 channels": dict(G=module("Generator", random_generator(colors=4))),
    "num_channels 2": dict(changed={"b4.mbstd": {"num_channels": 2}}),
    "mbstd_group_size None": dict(changed={"b4.mbstd": {"group_size": None}}),
    "different values of conv_clamp": dict(changed={"synthesis.b4.conv1": {"conv_clamp": 3.0}}),
    "is a SynthesisInput: a SynthesisLayer was": dict(
        changed={"synthesis.b4.conv1": {"class_name": "SynthesisInput", "size": np.array([4, 4])}}
    ),
    "is a Projector: genjax's StyleGAN2 has none there": dict(
        D=critic_module(random_critic() | {"b4.more.weight": X[0]}, changed={"b4.more": {"class_name": "Projector"}})
    ),
    "b16.conv1.resample_filter is not that of": dict(
        D=critic_module(random_critic() | {"b16.conv1.resample_filter": np.float32(np.eye(4))})
    ),
    "mapping.extra has no place": dict(G=module("Generator", random_generator() | {"mapping.extra": X[0, 0, 0]})),
    "mapping.fc2.weight is float32 .*not finite|is not finite": dict(
        G=module("Generator", random_generator() | {"mapping.fc2.weight": np.full((8, 8), np.nan, np.float32)})
    ),
    "mapping.fc2.weight has shape": dict(
        G=module("Generator", random_generator() | {"mapping.fc2.weight": np.ones((9, 8), np.float32)})
    ),
    "mapping.fc0.weight is int64": dict(
        G=module("Generator", random_generator() | {"mapping.fc0.weight": np.eye(8, dtype=int)})
    ),
    "no tensor synthesis.b4.const": dict(
        G=module("Generator", {k: a for k, a in random_generator().items() if k != "synthesis.b4.const"})
    ),
    "G and G_ema are different nets": dict(G=module("Generator", random_generator(colors=1))),
    "D is of 2 stages, and G of 3": dict(D=critic_module(random_critic(channels=(6, 5)))),
}


@pytest.mark.parametrize("message", OTHERS)
def test_other_nets_are_refused_by_name(message, tmp_path):
    path = write(tmp_path / "x.pkl", **OTHERS[message])
    with pytest.raises(InputError, match=message) as caught:
        stylegan2_nvidia.read(path)
    assert os.fspath(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pickle_of_something_else_is_refused(tmp_path):
    path = tmp_path / "x.pkl"
    for thing in ({"lr": 0.1}, [1, 2], {"G_ema": 3}, contents(G=None, G_ema=None)):
        path.write_bytes(pickled(thing, 4))
        with pytest.raises(InputError, match=r"x\.pkl is not a pickle of stylegan2-ada-pytorch"):
            stylegan2_nvidia.read(path)
