"""StyleGAN2's nets: their size, and their arithmetic written again in NumPy."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import numpy_nets
import pytest
from helpers import call
from numpy_nets import conv, drawn, leaky_relu, upfirdn

from genjax.errors import InputError
from genjax.nets.stylegan import layer_noise
from genjax.nets.stylegan2 import Critic, Generator

NET = Generator((8, 8, 3), channels=(6, 4), width=8, layers=1)
Z = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
VARIABLES, _ = drawn(NET, Z, dtype=np.float32)
KEY = jax.random.key(1)
WS = np.random.default_rng(1).normal(size=(4, 4, 8)).astype(np.float32)
CONFIG_F = (512, 512, 512, 512, 512, 256, 128, 64, 32)
SMOOTH = np.array([1, 3, 3, 1]) / 8
STEPS = [*pairwise(CONFIG_F)]

train = jax.jit(lambda v, z, key: NET.apply(v, z, train=True, rngs={"noise": key}, mutable=["average"]))


@partial(jax.jit, static_argnames="noise")
def synthesize(variables, ws, key=None, noise=None):
    return NET.apply(variables, ws, noise if key is None else key, method="synthesize")


def count(net, *args):
    variables = jax.eval_shape(net.init, jax.random.key(0), *args)
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_the_generator_has_the_published_number_of_parameters():
    """Of 1024 pixels 30 million, in config F. Counted: all that is learned; not the 17 constant maps of noise."""
    style = lambda n: 512 * n + n  # noqa: E731
    layer = lambda m, n: 9 * m * n + style(m) + 1 + n  # noqa: E731  kernel, style, noise's scale, bias
    color = lambda n: 3 * n + style(n) + 3  # noqa: E731
    mapping, constant = 8 * (512 * 512 + 512), 4 * 4 * 512
    stages = [layer(512, 512) + color(512)] + [layer(m, n) + layer(n, n) + color(n) for m, n in STEPS]
    assert layer(512, 512) == 2_622_465  # as the authors' code prints
    assert color(512) == 264_195
    ours = count(Generator((1024, 1024, 3)), jnp.zeros((1, 512)))
    assert ours == mapping + constant + sum(stages) == 30_370_060


def test_the_critic_has_the_published_number_of_parameters():
    """Of 1024 pixels 29 million, in config F; its authors' later code prints 29,012,513."""
    block = lambda m, n: (9 * n * n + n) + (9 * n * m + m) + n * m  # noqa: E731  from n channels to m of fewer pixels
    last = (9 * 513 * 512 + 512) + (16 * 512 * 512 + 512) + (512 + 1)
    expected = (3 * 32 + 32) + sum(block(m, n) for m, n in STEPS) + last
    assert count(Critic(), jnp.zeros((1, 1024, 1024, 3))) == expected == 29_012_513


def numpy_modulated(p, x, w, up=False, demodulate=True):
    """Eqs. 1 and 3 an example at a time; doubled, the kernel goes over zeros in between, and the filter over that."""
    style = w @ p["style"]["kernel"] / np.sqrt(w.shape[1]) + p["style"]["bias"]
    out = []
    for i, kernel in enumerate(style[:, None, None, :, None] * p["kernel"] / np.sqrt(np.prod(p["kernel"].shape[:3]))):
        if demodulate:
            kernel = kernel / np.sqrt((kernel**2).sum((0, 1, 2)) + 1e-8)
        if up:
            spread = np.pad(upfirdn(x[i : i + 1], [1], up=2)[:, :-1, :-1], ((0, 0), (2, 2), (2, 2), (0, 0)))
            out += [*upfirdn(conv(spread, kernel, same=False), 2 * SMOOTH, pads=(1, 1))]
        else:
            out += [*conv(x[i : i + 1], kernel)]
    return np.stack(out)


def numpy_image(params, ws, buffers=None, clamp=np.inf):
    """Figures 2c and 7b; with constant noise of `buffers`, the collection "noise"."""
    x, image = np.broadcast_to(params["constant"], (len(ws), *params["constant"].shape)), 0
    for i in range(ws.shape[1] - 1):
        p = params[f"convs_{i}"]
        x = numpy_modulated(p["ModulatedConv_0"], x, ws[:, i], up=i % 2 == 1)
        noise = buffers[f"convs_{i}"]["constant"] if buffers else np.float64(layer_noise(None, i, x))
        x = x + p["noise_scale"] * noise + p["bias"]
        x = np.clip(np.sqrt(2) * leaky_relu(x), -clamp, clamp)
        if i % 2 == 0:
            p = params[f"to_rgb_{i // 2}"]
            image = image if i == 0 else upfirdn(image, 2 * SMOOTH, up=2, pads=(2, 1))
            new = numpy_modulated(p["ModulatedConv_0"], x, ws[:, i + 1], demodulate=False) + p["bias"]
            image = image + np.clip(new, -clamp, clamp)
    return image


@pytest.mark.heavy
def test_the_generator_is_that_of_the_paper():
    with jax.enable_x64(True):
        net, z = Generator((16, 16, 3), (6, 5, 4), width=8, layers=2), np.float64(Z)
        variables, params = drawn(net, z)
        w = numpy_nets.mapping(params["mapping"], z, np.sqrt(2))
        expected = numpy_image(params, np.repeat(w[:, None], 6, 1))
        np.testing.assert_allclose(jax.jit(net.apply)(variables, z), expected, rtol=1e-9, atol=1e-9)
        ws = np.random.default_rng(2).normal(size=(4, 6, 8))  # each layer's own
        ours = jax.jit(lambda ws: net.apply(variables, ws, method="synthesize"))(ws)
        np.testing.assert_allclose(ours, numpy_image(params, ws), rtol=1e-9, atol=1e-9)


@pytest.mark.heavy
def test_weights_can_bring_constant_noise_of_their_own():
    with jax.enable_x64(True):
        net = Generator((16, 16, 3), (6, 5, 4), width=8, layers=2, stored_noise=True)
        variables, params = drawn(net, np.float64(Z))
        rng = np.random.default_rng(3)
        variables["noise"] = jax.tree.map(lambda a: rng.normal(size=a.shape), variables["noise"])
        ws = rng.normal(size=(4, 6, 8))
        ours = jax.jit(lambda ws: net.apply(variables, ws, method="synthesize"))(ws)
        np.testing.assert_allclose(ours, numpy_image(params, ws, variables["noise"]), rtol=1e-9, atol=1e-9)


@pytest.mark.heavy
def test_stored_noise_begins_as_the_constant_noise():
    """And images are the same as without it, up to rounding: these are two programs."""
    net = NET.clone(stored_noise=True)
    found = jax.jit(net.init)(jax.random.key(0), Z)["noise"]
    assert list(found) == ["convs_0", "convs_1", "convs_2"]
    for number, (side, buffer) in enumerate(zip((4, 8, 8), found.values(), strict=True)):
        expected = layer_noise(None, number, jnp.zeros((1, side, side, 1)))
        np.testing.assert_array_equal(buffer["constant"], expected)
    ours = jax.jit(lambda v, ws: net.apply(v, ws, method="synthesize"))(VARIABLES | {"noise": found}, WS)
    np.testing.assert_allclose(ours, synthesize(VARIABLES, WS), rtol=1e-4, atol=1e-4)


def numpy_logits(params, x, clamp=np.inf, onehot=None):
    def layer(p, x, stride=1):
        kernel = p["kernel"] / np.sqrt(np.prod(p["kernel"].shape[:3]))
        return np.clip(np.sqrt(2) * leaky_relu(conv(x, kernel, stride, stride == 1) + p["bias"]), -clamp, clamp)

    x = layer(params["Conv_0"], x)
    for block in ("Block_0", "Block_1"):
        p = params[block]
        h = layer(p["Conv_1"], upfirdn(layer(p["Conv_0"], x), SMOOTH, pads=(2, 2)), stride=2)
        skip = conv(upfirdn(x, SMOOTH, pads=(1, 1))[:, ::2, ::2], p["Conv_2"]["kernel"] / np.sqrt(x.shape[3]))
        x = (h + skip) / np.sqrt(2)
    groups = x.reshape(-1, 4, *x.shape[1:])
    spread = np.sqrt(((groups - groups.mean(1, keepdims=True)) ** 2).mean(1) + 1e-8).mean((1, 2, 3)).repeat(4)
    x = np.concatenate([x, np.broadcast_to(spread[:, None, None, None], (*x.shape[:3], 1))], 3)
    x = layer(params["Conv_1"], x).reshape(len(x), -1)
    first, last = params["Dense_0"], params["Dense_1"]
    x = np.sqrt(2) * leaky_relu(x @ first["kernel"] / np.sqrt(x.shape[1]) + first["bias"])
    x = x @ last["kernel"] / np.sqrt(x.shape[1]) + last["bias"]
    if onehot is None:
        return x[:, 0]
    p = params["mapping"]["embed"]  # the code of arXiv:2006.06676, class DiscriminatorEpilogue
    w = numpy_nets.normed(p["kernel"][onehot.argmax(1)] / np.sqrt(onehot.shape[1]) + p["bias"])
    w = numpy_nets.mapping_of_normed(params["mapping"], w, np.sqrt(2))
    return np.array([a @ b for a, b in zip(x, w, strict=True)]) / np.sqrt(x.shape[1])


def test_the_critic_is_that_of_the_paper():
    with jax.enable_x64(True):
        net, x = Critic(channels=(6, 5, 4)), np.random.default_rng(3).normal(size=(8, 16, 16, 3))
        variables, params = drawn(net, x)
        np.testing.assert_allclose(jax.jit(net.apply)(variables, x), numpy_logits(params, x), rtol=1e-9, atol=1e-9)


def test_with_classes_a_logit_is_the_product_of_features_and_w_of_the_class():
    with jax.enable_x64(True):
        net, x = Critic(channels=(6, 5, 4), layers=3), np.random.default_rng(3).normal(size=(8, 16, 16, 3))
        onehot = np.eye(3)[np.arange(8) % 3]
        variables, params = drawn(net, x, class_onehot=onehot)
        logits = numpy_logits(params, x, onehot=onehot)
        ours = jax.jit(lambda v, x, c: net.apply(v, x, class_onehot=c))(variables, x, onehot)
        np.testing.assert_allclose(ours, logits, rtol=1e-9, atol=1e-9)
        assert np.abs(logits - numpy_logits(params, x, onehot=onehot[::-1])).max() > 0.1


@pytest.mark.heavy
def test_with_classes_images_are_those_of_w_of_latents_and_class():
    """The mapping's own test has its formula; the average that truncation is towards is one for all classes."""
    with jax.enable_x64(True):
        net, z, onehot = Generator((8, 8, 3), (6, 4), width=8, layers=2), np.float64(Z), np.eye(3)[[0, 1, 2, 0]]
        variables, params = drawn(net, z, class_onehot=onehot)
        w = call(net.apply, variables, z, onehot, method="map")
        assert params["mapping"]["embed"]["kernel"].shape == (3, 8)
        assert params["mapping"]["dense_0"]["kernel"].shape == (7 + 8, 8)
        assert variables["average"]["mapping"]["w_avg"].shape == (8,)
        images = jax.jit(lambda v, z, c: net.apply(v, z, class_onehot=c))(variables, z, onehot)
        np.testing.assert_allclose(images, numpy_image(params, np.repeat(w[:, None], 4, 1)), rtol=1e-9, atol=1e-9)
        assert np.abs(w - call(net.apply, variables, z, onehot[::-1], method="map")).max() > 0.1


@pytest.mark.heavy
def test_convolutions_are_clamped_as_in_the_authors_code():
    """After bias, leaky ReLU and gain; images of stages after their bias; neither dense layers nor shortcuts."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(3)
        net, x = Critic(channels=(6, 5, 4), conv_clamp=0.7), rng.normal(size=(8, 16, 16, 3))
        variables, params = drawn(net, x)
        logits = numpy_logits(params, x, 0.7)
        np.testing.assert_allclose(jax.jit(net.apply)(variables, x), logits, rtol=1e-9, atol=1e-9)
        assert np.abs(logits - numpy_logits(params, x)).max() > 0.01
        net, ws = Generator((8, 8, 3), (6, 5), width=8, layers=1, conv_clamp=0.7), rng.normal(size=(2, 4, 8))
        variables, params = drawn(net, np.float64(Z))
        ours = jax.jit(lambda ws: net.apply(variables, ws, method="synthesize"))(ws)
        np.testing.assert_allclose(ours, numpy_image(params, ws, clamp=0.7), rtol=1e-9, atol=1e-9)
        assert np.abs(ours - numpy_image(params, ws)).max() > 0.01


def test_a_negative_clamp_is_refused():
    for net in (partial(Generator, (8, 8, 3), (6, 5)), Critic):
        with pytest.raises(InputError, match=r"conv_clamp=-1.0: expected 0 \(none\) or more"):
            net(conv_clamp=-1.0)


@pytest.mark.heavy
def test_weights_begin_as_the_paper_says():
    """N(0, 1), the constant too; over the multiplier in the mapping; biases zero, but styles' one; no noise."""
    params = jax.jit(Generator((4, 4, 1), (40,), width=50, layers=1).init)(jax.random.key(0), jnp.ones((1, 50)))[
        "params"
    ]
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        name = jax.tree_util.keystr(path)
        if "kernel" in name or "constant" in name:
            std = 100 if "mapping" in name else 1
            np.testing.assert_allclose(leaf.std(), std, rtol=5 / np.sqrt(2 * leaf.size))
        else:
            assert (leaf == ("['style']['bias']" in name)).all(), name


@pytest.mark.heavy
def test_noise_is_of_each_example_or_constant_or_none():
    same = np.repeat(WS[:1], 4, 0)
    fresh, constant, none = (synthesize(VARIABLES, same, **how) for how in ({"key": KEY}, {}, {"noise": False}))
    for x in (constant, none):
        np.testing.assert_allclose(x, np.repeat(x[:1], 4, 0), rtol=1e-4, atol=1e-4)
    for x, y in [(fresh[0], fresh[1]), (fresh, constant), (constant, none), (fresh, none)]:
        assert np.abs(x - y).max() > 0.1
    zero = lambda path, a: 0 * a if "noise_scale" in jax.tree_util.keystr(path) else a  # noqa: E731
    silent = jax.tree_util.tree_map_with_path(zero, VARIABLES)
    np.testing.assert_allclose(synthesize(silent, same, key=KEY), none, rtol=1e-4, atol=1e-4)


@pytest.mark.heavy
def test_training_mixes_styles_and_moves_the_average():
    key = call(NET.apply, VARIABLES, rngs={"noise": KEY}, method=lambda m: m.make_rng("noise"))
    k_styles, k_noise = jax.random.split(key)
    method = lambda m: m.mapping.styles_in_training(Z, k_styles, 4, 4, 0.9)  # noqa: E731
    ws, expected = call(NET.apply, VARIABLES, method=method, mutable=["average"])
    x, moved = train(VARIABLES, Z, KEY)
    np.testing.assert_allclose(x, synthesize(VARIABLES, ws, key=k_noise), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(moved["average"]["mapping"]["w_avg"], expected["average"]["mapping"]["w_avg"], rtol=1e-5)


@pytest.mark.heavy
def test_an_examples_training_image_does_not_depend_on_the_batchs_size():
    whole, half = (train(VARIABLES, z, KEY)[0] for z in (Z, Z[:2]))
    np.testing.assert_allclose(whole[:2], half, rtol=1e-4, atol=1e-4)


def test_full_truncation_is_the_image_of_the_average():
    average = np.random.default_rng(3).normal(size=8).astype(np.float32)
    variables = {**VARIABLES, "average": {"mapping": {"w_avg": average}}}
    ws = NET.apply(variables, WS, 0.0, method="truncate")
    np.testing.assert_array_equal(synthesize(variables, ws), synthesize(variables, np.broadcast_to(average, (4, 4, 8))))


@pytest.mark.heavy
def test_every_weight_has_a_finite_slope_through_the_critic():
    critic = Critic(channels=(5, 4))
    judge = drawn(critic, np.zeros((4, 8, 8, 3)), dtype=np.float32)[0]

    def loss(params, critics):
        fake, _ = train({**VARIABLES, "params": params}, Z, KEY)
        return jnp.sum(jnp.sin(critic.apply({"params": critics}, fake)))

    for slopes in jax.jit(jax.grad(loss, (0, 1)))(VARIABLES["params"], judge["params"]):
        for path, leaf in jax.tree_util.tree_leaves_with_path(slopes):
            assert np.isfinite(leaf).all(), path
            assert np.any(leaf), path


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"images of 30x30: .*28x28 or"):
        Generator((30, 30, 1), (8, 8))
    with pytest.raises(InputError, match=r"generator.channels=\(8, 8\): expected 3 numbers"):
        Generator((16, 16, 1), (8, 8))
    with pytest.raises(InputError, match=r"critic.channels=\(8, 8\): expected 3 numbers"):
        Critic((8, 8)).init(jax.random.key(0), jnp.zeros((1, 16, 16, 1)))
