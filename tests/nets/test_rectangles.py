"""Rectangles: a net with transposed kernels maps transposed inputs to transposed outputs; the start of each size."""

import jax
import numpy as np
import pytest
from numpy_nets import activated, conv, drawn, equalized_conv, leaky_relu, normed

from genjax.errors import InputError
from genjax.nets import (
    conv_autoencoder,
    conv_latent,
    dcgan,
    doubling,
    msggan,
    progan,
    residual,
    resnet,
    stylegan,
    stylegan2,
)

SIZE = (16, 24)
START = (4, 6)
CHANNELS = (4, 3, 2)
Z = np.random.default_rng(0).normal(size=(4, 5))
X = np.random.default_rng(1).normal(size=(4, *SIZE, 2))

GENERATORS = {
    "progan": lambda shape: progan.Generator(shape, CHANNELS),
    "progan, bilinear": lambda shape: progan.Generator(shape, CHANNELS, bilinear=True, channel_bias=True),
    "stylegan": lambda shape: stylegan.Generator(shape, CHANNELS, width=4, layers=1, noise=False),
    "stylegan without a constant": lambda shape: stylegan.Generator(
        shape, CHANNELS, width=4, layers=1, noise=False, constant_input=False
    ),
    "stylegan2": lambda shape: stylegan2.Generator(shape, CHANNELS, width=4, layers=1),
    "dcgan": lambda shape: dcgan.Generator(shape, (4, 3)),
    "resnet": lambda shape: resnet.Generator(shape, 4),
}
CRITICS = {
    "progan": progan.Critic(CHANNELS),
    "progan, bilinear": progan.Critic(CHANNELS, bilinear=True, order="code", minibatch="stddev_textbook"),
    "stylegan2": stylegan2.Critic(CHANNELS),
    "msggan": msggan.Critic(CHANNELS),
    "dcgan": dcgan.Critic((3, 4), dropout=0.0),
    "resnet": resnet.Critic(4, spectral=False),
}
AUTOENCODERS = {
    "conv": lambda shape: conv_autoencoder.Convolutional(shape, (3, 4)),
    "conv, upsampled": lambda shape: conv_autoencoder.Convolutional(shape, (3, 4), up="upsample"),
    "conv_latent": lambda shape: conv_latent.ConvLatent(shape, (3, 4), width=5),
    "residual": lambda shape: residual.ResidualAutoencoder(shape, (3, 4), blocks=1, latent=2),
}


def transposed(params, start):
    """Parameters with rows and columns exchanged: of kernels, constants, and dense layers from or to a map."""

    def swap(path, leaf):
        name = jax.tree_util.keystr(path)
        places = start[0] * start[1]
        if leaf.ndim == 4 or "constant" in name:
            return leaf.swapaxes(0, 1)
        if leaf.ndim == 2 and leaf.shape[0] % places == 0:
            return leaf.reshape(*start, -1, leaf.shape[1]).swapaxes(0, 1).reshape(leaf.shape)
        if leaf.ndim == 2 and leaf.shape[1] % places == 0:
            return leaf.reshape(len(leaf), *start, -1).swapaxes(1, 2).reshape(leaf.shape)
        if leaf.ndim == 1 and leaf.shape[0] % places == 0:  # the bias of such a layer
            return leaf.reshape(*start, -1).swapaxes(0, 1).reshape(-1)
        return leaf

    return jax.tree_util.tree_map_with_path(swap, params)


def without_noise(net, z):
    """StyleGAN2's images, whose layers always have noise otherwise."""
    return net.synthesize(net.styles(net.map(z)), False)


def flip(x):
    """Images, or tuples of images, with rows and columns exchanged."""
    return jax.tree.map(lambda a: a.swapaxes(1, 2), x)


def both(net, turned, x, turned_x, start, **options):
    """The outputs of a net, and of its transpose for a transposed input."""
    with jax.enable_x64():
        variables, params = drawn(net, x)
        params = transposed(params, start)
        shapes = jax.eval_shape(turned.init, jax.random.key(0), turned_x)["params"]
        assert jax.tree.map(np.shape, params) == jax.tree.map(lambda leaf: leaf.shape, shapes)
        ours = jax.jit(lambda v, x: net.apply(v, x, **options))(variables, x)
        theirs = jax.jit(lambda v, x: turned.apply(v, x, **options))({**variables, "params": params}, turned_x)
    return jax.device_get((ours, theirs))


@pytest.mark.heavy
@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_with_transposed_kernels_makes_transposed_images(name):
    nets = [GENERATORS[name]((*size, 2)) for size in (SIZE, SIZE[::-1])]
    start = {"resnet": (2, 3)}.get(name, START)
    options = {"method": without_noise} if name == "stylegan2" else {}
    image, turned = both(*nets, Z, Z, start, **options)
    assert image.shape == (4, *SIZE, 2)
    assert image.std() > 1e-3
    np.testing.assert_allclose(turned, flip(image), rtol=1e-6, atol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("name", CRITICS)
def test_a_critic_with_transposed_kernels_judges_transposed_images_alike(name):
    net = CRITICS[name]
    x = tuple(X[:, ::n, ::n] for n in (4, 2, 1)) if name == "msggan" else X
    logits, turned = both(net, net, x, flip(x), START)
    assert logits.shape == (4,)
    assert logits.std() > 1e-3 * np.abs(logits).mean() > 0
    np.testing.assert_allclose(turned, logits, rtol=1e-6)


@pytest.mark.heavy
@pytest.mark.parametrize("size", [SIZE, (13, 22)])
@pytest.mark.parametrize("name", AUTOENCODERS)
def test_an_autoencoder_with_transposed_kernels_restores_transposed_images(name, size):
    nets = [AUTOENCODERS[name]((*n, 2)) for n in (size, size[::-1])]
    x = X[:, : size[0], : size[1]]
    start = conv_latent.sides(size, 2)[-1]
    image, turned = both(*nets, x, flip(x), start)
    assert image.shape == (4, *size, 2)
    np.testing.assert_allclose(turned, flip(image), rtol=1e-6, atol=1e-6 * np.abs(image).max())


@pytest.mark.heavy
def test_a_growing_net_makes_each_stage_of_a_rectangle():
    """The first map is z W / sqrt(inputs) with the gain sqrt(2 / places): 4 x 6 of them, not 16."""
    net = progan.Generator((*SIZE, 2), CHANNELS)
    with jax.enable_x64():
        variables, p = drawn(net, Z)
        for stage in range(3):
            image = jax.jit(net.apply, static_argnames="stage")(variables, Z, stage=stage)
            assert image.shape == (4, START[0] * 2**stage, START[1] * 2**stage, 2)
        x = normed(Z) @ p["dense"]["kernel"] * np.sqrt(2 / 24 / 5) + p["dense"]["bias"]
        x = activated(equalized_conv(p["convs_0_0"], activated(x.reshape(4, 4, 6, -1))))
        for i in (1, 2):
            x = x.repeat(2, 1).repeat(2, 2)
            x = activated(equalized_conv(p[f"convs_{i}_1"], activated(equalized_conv(p[f"convs_{i}_0"], x))))
        np.testing.assert_allclose(image, equalized_conv(p["to_rgb_2"], x, gain=1), rtol=1e-6, atol=1e-8)


@pytest.mark.heavy
def test_the_constant_of_a_rectangle_has_its_start():
    """StyleGAN without noise and styles, written again: 6x4 ones, convolved."""
    net = stylegan.Generator((6, 4, 2), (3,), width=4, layers=1, noise=False)
    with jax.enable_x64():
        variables, p = drawn(net, Z)
        for layer in ("convs_0", "convs_1"):
            p[layer]["style"] = {"kernel": np.zeros((4, 6)), "bias": np.zeros(6)}
        x = np.broadcast_to(p["constant"], (4, 6, 4, 3))
        for layer in ("convs_0", "convs_1"):
            if layer == "convs_1":
                x = conv(x, p[layer]["Conv_0"]["kernel"] * np.sqrt(2 / 27))
            x = leaky_relu(x + p[layer]["bias"])
            x = x - x.mean((1, 2), keepdims=True)
            x = x / np.sqrt((x**2).mean((1, 2), keepdims=True) + 1e-8)
        expected = equalized_conv(p["to_rgb_0"], x, gain=1)
        np.testing.assert_allclose(jax.jit(net.apply)({**variables, "params": p}, Z), expected, rtol=1e-6, atol=1e-8)


def test_a_start_has_3_to_7_pixels_on_its_shorter_side():
    """Every size with a number of stages is a start times a power of two; each start makes its sizes."""
    for start in [(3, 4), (4, 3), (6, 4), (4, 4), (5, 7), (7, 20), (3, 3)]:
        for stages in range(1, 6):
            size = tuple(n * 2 ** (stages - 1) for n in start)
            assert stages in doubling.stage_counts(*size)
            assert doubling.start_size((*size, 3), (1,) * stages) == start
            assert doubling.sizes(size, stages)[-1] == size
    made = {(h << i, w << i) for h in range(3, 65) for w in range(3, 65) for i in range(5) if 3 <= min(h, w) <= 7}
    for size in np.ndindex(64, 64):
        assert bool(doubling.stage_counts(*size)) == (size in made), size


def test_squares_of_powers_of_two_have_one_number_of_stages():
    for stages in range(1, 10):
        assert doubling.stage_counts(2 ** (stages + 1), 2 ** (stages + 1)) == [stages]


def test_the_nearest_sizes_are_made_by_doubling_and_few_are_nearer():
    """Against all sizes: none of about the same proportions is more than one step of the longer side nearer."""
    assert doubling.nearest(30, 30) == [(28, 28), (32, 32)]
    assert doubling.nearest(31, 50) == [(32, 48), (28, 48)]
    assert doubling.nearest(45, 60)[0] == (48, 64)
    assert doubling.nearest(1000, 600)[0] == (1024, 640)
    for size in [(2, 2), (1, 5), (16, 9), (9, 16), (100, 100), (333, 77)]:
        for near in doubling.nearest(*size):
            assert doubling.stage_counts(*near), size
        for near in doubling.nearest(*size, 4):
            assert 4 in doubling.stage_counts(*near), size


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((30, 40, 3), r"images of 30x40: set data.size to the nearest size, 28x40 or 32x40,"),
        (
            (64, 48, 3),
            r"critic.channels=\(1, 1\): expected 4 numbers, for maps of 8x6, .*64x48 or 5 numbers, .*4x3, 8x6",
        ),
        ((5,), r"make images, but the data have shape \[5\]"),
    ],
)
def test_other_sizes_are_refused_with_those_that_fit(shape, message):
    with pytest.raises(InputError, match=message):
        doubling.check_stages("critic", shape, (1, 1))
