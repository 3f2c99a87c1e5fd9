"""ProGAN's nets: the paper's sizes, its formulas in float64, and growth that is exact at its ends."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call
from numpy_nets import (
    activated,
    drawn,
    equalized_conv,
    equalized_dense,
    leaky_relu,
    mean_of_blocks,
    normed,
    upfirdn,
    with_spread,
)

from genjax.errors import InputError
from genjax.nets.progan import Critic, Generator
from genjax.ops.resample import downsample2x, upsample2x

CHANNELS = (6, 4, 3)
BLUR = (0.25, 0.5, 0.25)
SHAPE = (16, 16, 2)


def count(net, *args):
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), *args))
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


@pytest.mark.heavy
def test_the_nets_have_the_published_number_of_parameters():
    """arXiv:1710.10196, table 2, prints 23.1M for both; the table lacks the to- and from-RGB of earlier stages."""
    widths = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    conv = lambda into, out: 9 * into * out + out  # noqa: E731
    rgb = sum(3 * n + n for n in widths)
    blocks = sum(conv(a, b) for a, b in pairwise(widths)) + sum(conv(n, n) for n in widths[1:])
    generator = 512 * 8192 + 8192 + conv(512, 512) + blocks + sum(3 * n + 3 for n in widths)
    assert count(Generator((1024, 1024, 3)), jnp.zeros((1, 512))) == generator
    critic = rgb + blocks - sum(n for n in widths[1:]) + sum(n for n in widths[:-1])  # biases of what narrows
    critic += conv(513, 512) + 8192 * 512 + 512 + 513
    assert count(Critic(), jnp.zeros((1, 1024, 1024, 3))) == critic
    assert round(generator / 1e6, 1) == round(critic / 1e6, 1) == 23.1


@pytest.fixture(scope="module")
def generator():
    net = Generator(SHAPE, CHANNELS)
    return net, randomized(jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, 5))))


@pytest.fixture(scope="module")
def critic():
    net = Critic(CHANNELS)
    return net, randomized(jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, *SHAPE))))


def randomized(variables):
    """Biases that are not zero."""
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape), jnp.float32), variables)


def latents(count=8):
    return jnp.asarray(np.random.default_rng(1).normal(size=(count, 5)), jnp.float32)


def images(side=16, count=8):
    return jnp.asarray(np.random.default_rng(2).normal(size=(count, side, side, 2)), jnp.float32)


@pytest.mark.heavy
@pytest.mark.parametrize("stage", [1, 2])
def test_a_stage_fades_in_from_the_enlarged_one_before_to_the_bit(generator, stage):
    net, variables = generator
    at = lambda alpha: call(net.apply, variables, latents(), stage=stage, alpha=jnp.float32(alpha))  # noqa: E731
    before = upsample2x(call(net.apply, variables, latents(), stage=stage - 1))
    after = call(net.apply, variables, latents(), stage=stage)
    np.testing.assert_array_equal(at(0.0), before)
    np.testing.assert_array_equal(at(1.0), after)
    np.testing.assert_allclose(at(0.3), 0.7 * before + 0.3 * after, rtol=1e-6, atol=1e-6)
    assert np.abs(before - after).max() > 0.1


@pytest.mark.parametrize("level", [0, 1, 2, 0.25, 1.25])
def test_grown_to_a_level_is_the_stage_of_that_level_at_full_size(generator, level):
    net, variables = generator
    stage = int(np.ceil(level))
    image = call(net.apply, variables, latents(), stage=stage, alpha=jnp.float32(level - stage + 1) if stage else None)
    for _ in range(2 - stage):
        image = upsample2x(image)
    np.testing.assert_array_equal(
        call(net.apply, variables, latents(), jnp.float32(level), method="partially_grown"), image
    )


@pytest.mark.heavy
@pytest.mark.parametrize("stage", [1, 2])
def test_a_critic_fades_in_from_the_judgment_of_the_halved_image(critic, stage):
    net, variables = critic
    x = images(4 * 2**stage)
    at = lambda alpha: call(net.apply, variables, x, stage=stage, alpha=jnp.float32(alpha))  # noqa: E731
    np.testing.assert_array_equal(at(0.0), call(net.apply, variables, downsample2x(x), stage=stage - 1))
    np.testing.assert_array_equal(at(1.0), call(net.apply, variables, x, stage=stage))
    assert np.abs(at(1.0) - at(0.0)).max() > 0.05


@pytest.mark.heavy
@pytest.mark.parametrize("bilinear", [False, True])
def test_the_generator_is_its_formula_in_float64(bilinear):
    net = Generator(SHAPE, CHANNELS, bilinear=bilinear)
    p = randomized(jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, 5))))
    x = activated(
        equalized_dense(p["params"]["dense"], normed(np.float64(latents(3))), np.sqrt(2) / 4).reshape(3, 4, 4, 6)
    )
    x = activated(equalized_conv(p["params"]["convs_0_0"], x))
    for stage in (1, 2):
        x = x.repeat(2, 1).repeat(2, 2)
        x = upfirdn(x, BLUR, pads=(1, 1)) if bilinear else x
        x = activated(
            equalized_conv(
                p["params"][f"convs_{stage}_1"], activated(equalized_conv(p["params"][f"convs_{stage}_0"], x))
            )
        )
    expected = equalized_conv(p["params"]["to_rgb_2"], x, gain=1)
    np.testing.assert_allclose(call(net.apply, p, latents(3)), expected, rtol=2e-4, atol=2e-4)


@pytest.mark.heavy
def test_with_classes_latents_and_onehot_are_normalized_together():
    """As in the authors' code; the weights of the class are the last rows of the first layer."""
    onehot = np.eye(3)[[1, 2, 1]]
    net = Generator((4, 4, 2), (6,))
    p = randomized(jax.eval_shape(net.init, jax.random.key(0), latents(1), class_onehot=onehot[:1]))
    assert p["params"]["dense"]["kernel"].shape == (5 + 3, 96)
    x = normed(np.concatenate([np.float64(latents(3)), onehot], 1))
    x = activated(equalized_dense(p["params"]["dense"], x, np.sqrt(2) / 4).reshape(3, 4, 4, 6))
    x = activated(equalized_conv(p["params"]["convs_0_0"], x))
    expected = equalized_conv(p["params"]["to_rgb_0"], x, gain=1)
    np.testing.assert_allclose(call(net.apply, p, latents(3), class_onehot=onehot), expected, rtol=2e-4, atol=2e-4)
    joined = np.concatenate([latents(3), onehot], 1)
    np.testing.assert_allclose(
        call(net.apply, p, joined, 0.0, method="partially_grown"), expected, rtol=2e-4, atol=2e-4
    )


@pytest.mark.heavy
@pytest.mark.parametrize("conditioning", ["auxiliary", "class_logit"])
def test_a_critics_class_logits_are_those_of_its_last_layer(conditioning):
    """Beside the logit, to classify with; or in its place, that of the example's class."""
    net, labels = Critic((6,), conditioning=conditioning), np.arange(8) % 3
    x, onehot = images(4), np.eye(3)[labels]
    p = randomized(jax.eval_shape(net.init, jax.random.key(0), x, class_onehot=onehot))["params"]
    h = with_spread(leaky_relu(equalized_conv(p["from_rgb_0"], np.float64(x))))
    h = leaky_relu(equalized_dense(p["last_1"], leaky_relu(equalized_conv(p["last_0"], h)).reshape(8, -1)))
    by_class = equalized_dense(p["class_logits"], h, gain=1)
    logits, seen = call(net.apply, {"params": p}, x, class_onehot=onehot, mutable=["critic_aux"])
    if conditioning == "class_logit":
        assert "last_2" not in p
        assert not seen
        np.testing.assert_allclose(logits, by_class[np.arange(8), labels], rtol=3e-4, atol=3e-4)
    else:
        np.testing.assert_allclose(logits, equalized_dense(p["last_2"], h, gain=1)[:, 0], rtol=3e-4, atol=3e-4)
        np.testing.assert_allclose(seen["critic_aux"]["classes"], by_class, rtol=3e-4, atol=3e-4)


@pytest.mark.heavy
@pytest.mark.parametrize(("minibatch", "bilinear"), [("stddev", False), ("stddev_textbook", True), ("", False)])
def test_the_critic_is_its_formula_in_float64(minibatch, bilinear):
    net = Critic(CHANNELS, minibatch=minibatch, bilinear=bilinear)
    p = randomized(jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, *SHAPE))))["params"]
    h = leaky_relu(equalized_conv(p["from_rgb_2"], np.float64(images())))
    for stage in (2, 1):
        h = leaky_relu(equalized_conv(p[f"convs_{stage}_1"], leaky_relu(equalized_conv(p[f"convs_{stage}_0"], h))))
        h = upfirdn(h, BLUR, pads=(1, 1)) if bilinear else h
        h = mean_of_blocks(h)
    if minibatch == "stddev":
        h = with_spread(h)
    elif minibatch:  # over examples and channels at each place, then a mean
        h = np.concatenate([h, np.full((8, 4, 4, 1), np.mean(np.std(h, (0, 3))))], 3)
    h = leaky_relu(equalized_conv(p["last_0"], h))
    h = leaky_relu(equalized_dense(p["last_1"], h.reshape(8, -1)))
    expected = equalized_dense(p["last_2"], h, gain=1)[:, 0]
    np.testing.assert_allclose(call(net.apply, {"params": p}, images()), expected, rtol=3e-4, atol=3e-4)


@pytest.mark.heavy
@pytest.mark.parametrize("bilinear", [False, True])
def test_the_critic_is_that_of_the_authors_code(bilinear):
    """A stage's end: [1, 2, 1] if bilinear, the kernel, the mean of blocks, then bias and leaky ReLU."""
    with jax.enable_x64():
        net = Critic(CHANNELS, minibatch="", bilinear=bilinear, order="code")
        variables, p = drawn(net, np.zeros((1, *SHAPE)))
        x = np.random.default_rng(0).normal(size=(4, *SHAPE))
        h = leaky_relu(equalized_conv(p["from_rgb_2"], x))
        for stage in (2, 1):
            h = leaky_relu(equalized_conv(p[f"convs_{stage}_0"], h))
            h = upfirdn(h, BLUR, pads=(1, 1)) if bilinear else h
            last = p[f"convs_{stage}_1"]
            h = mean_of_blocks(equalized_conv(last | {"bias": 0 * last["bias"]}, h))
            h = leaky_relu(h + last["bias"])
        h = leaky_relu(equalized_conv(p["last_0"], h))
        h = leaky_relu(equalized_dense(p["last_1"], h.reshape(4, -1)))
        expected = equalized_dense(p["last_2"], h, gain=1)[:, 0]
        np.testing.assert_allclose(jax.jit(net.apply)(variables, x), expected, rtol=1e-9)
        paper = jax.jit(net.clone(order="paper").apply)(variables, x)
        assert np.abs(paper - expected).max() > 1e-3 * np.abs(expected).max()


@pytest.mark.heavy
def test_the_generators_dense_layer_can_have_one_bias_per_channel():
    with jax.enable_x64():
        net = Generator((4, 4, 3), CHANNELS[:1], channel_bias=True)
        variables, p = drawn(net, np.zeros((1, 5)))
        z = np.random.default_rng(0).normal(size=(3, 5))
        x = normed(z) @ p["dense"]["kernel"] * (np.sqrt(2) / 4 / np.sqrt(5))
        x = activated(x.reshape(3, 4, 4, -1) + p["bias"])
        x = activated(equalized_conv(p["convs_0_0"], x))
        expected = equalized_conv(p["to_rgb_0"], x, gain=1)
        np.testing.assert_allclose(jax.jit(net.apply)(variables, z), expected, rtol=1e-6, atol=1e-8)


def test_biases_per_channel_are_7680_parameters_fewer():
    nets = (Generator((4, 4, 3), (512,), channel_bias=bias) for bias in (False, True))
    numbers, channels = (count(net, jnp.zeros((1, 512))) for net in nets)
    assert numbers - channels == 7680


@pytest.mark.heavy
def test_every_layer_keeps_unit_variance_at_the_start():
    """He's constant at run time: with unit-normal weights a map's mean square is one, layer by layer."""
    net = Generator((16, 16, 3), (256, 256, 256))
    variables = call(net.init, jax.random.key(0), jnp.zeros((1, 256)))
    z = jax.random.normal(jax.random.key(1), (16, 256))
    _, seen = call(net.apply, variables, z, capture_intermediates=lambda module, _: type(module).__name__ == "Conv")
    for name, found in seen["intermediates"].items():  # inputs have mean square one, since pixels are normalized
        y = found["__call__"][0]
        inside = (1 - 2 / (3 * y.shape[1])) ** 2  # of a kernel's taps, the rest being beyond the border
        assert "rgb" in name or np.mean(y**2) == pytest.approx(2 * inside, rel=0.1), name


@pytest.mark.parametrize("shape", [(30, 30, 1), (31, 50, 3), (2, 2, 1), (72, 72, 3)])
def test_shapes_that_doubling_does_not_make_are_refused(shape):
    with pytest.raises(InputError, match=r"start of 3 to 7 pixels.*set data.size to the nearest size"):
        Generator(shape, (4,))


def test_channels_that_are_not_one_a_stage_are_refused():
    with pytest.raises(
        InputError, match=r"generator.channels=\(4, 4\): expected 4 numbers, for maps of 4x4, 8x8, 16x16, 32x32"
    ):
        Generator((32, 32, 3), (4, 4))
