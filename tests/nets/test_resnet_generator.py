"""The residual generator against NumPy, its size against the authors', and how far a pixel reaches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call
from numpy_nets import conv, drawn

from genjax.nets.resnet_generator import ResnetGenerator

DEAD = 64 + 128 + 256 + 2 * 256 * 9 + 128 + 64
"""Biases of the authors' convolutions before a normalization without parameters, which removes them."""


@pytest.mark.parametrize(("blocks", "published"), [(9, 11_378_179), (6, 7_837_699)])
def test_the_number_of_parameters_is_that_of_the_authors(blocks, published):
    """Printed by their code as 11.378 M and, of six blocks, 7.838 M; ours leaves out biases without an effect."""
    square = lambda side, into, out: side * side * into * out  # noqa: E731
    outer = square(7, 3, 64) + square(7, 64, 3) + 3
    inner = 2 * (square(3, 64, 128) + square(3, 128, 256)) + 2 * blocks * square(3, 256, 256)
    shapes = jax.eval_shape(ResnetGenerator(3, blocks=blocks).init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert count == outer + inner
    assert count + DEAD - 2 * 256 * (9 - blocks) == published


def plain(x):
    """Mean 0 and variance 1 of each image and channel."""
    return (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)


def reflected(x, p, side):
    edge = side // 2
    x = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)), "reflect")
    return conv(x, p["kernel"], same=False) + p.get("bias", 0)


def halved(x, p):
    """A 3x3 convolution of stride 2 whose middle is on every even pixel, zeros beyond the border."""
    return conv(x, p["kernel"], 2)


def doubled(x, p):
    """Its transpose: each pixel adds its multiple of the kernel [h, w, out, in] around every even pixel."""
    batch, height, width, _ = x.shape
    y = np.zeros((batch, 2 * height + 2, 2 * width + 2, p["kernel"].shape[2]))
    for row in range(height):
        for column in range(width):
            y[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += np.einsum(
                "bi,hwoi->bhwo", x[:, row, column], p["kernel"]
            )
    return y[:, 1:-1, 1:-1]


def test_the_generator_is_that_of_the_authors():
    net = ResnetGenerator(2, (3, 4, 5), blocks=2)
    x = np.random.default_rng(0).normal(size=(2, 16, 8, 3))
    with jax.enable_x64(True):
        variables, p = drawn(net, jnp.asarray(x))
        found = call(net.apply, variables, jnp.asarray(x))
    relu = lambda x: np.maximum(x, 0)  # noqa: E731
    y = relu(plain(reflected(x, p["Conv_0"], 7)))
    y = relu(plain(halved(y, p["Conv_1"])))
    y = relu(plain(halved(y, p["Conv_2"])))
    for first in (3, 5):
        y = y + plain(reflected(relu(plain(reflected(y, p[f"Conv_{first}"], 3))), p[f"Conv_{first + 1}"], 3))
    y = relu(plain(doubled(y, p["ConvTranspose_0"])))
    y = relu(plain(doubled(y, p["ConvTranspose_1"])))
    np.testing.assert_allclose(found, np.tanh(reflected(y, p["Conv_7"], 7)), atol=1e-9)


def test_a_shifted_image_has_the_shifted_translation_away_from_its_border():
    """Without normalization, whose moments are of the whole image: so the net is convolutions alone, of any size."""
    net = ResnetGenerator(1, (2, 3), blocks=1, norm="none")
    x = np.random.default_rng(1).normal(size=(1, 44, 40, 1)).astype(np.float32)
    variables = drawn(net, jnp.asarray(x), dtype=np.float32)[0]
    variables = jax.tree.map(lambda a: 0.1 * a, variables)
    whole, part = call(net.apply, variables, x), call(net.apply, variables, x[:, 4:40, 2:])
    np.testing.assert_allclose(part[:, 14:-14, 14:-14], whole[:, 18:-18, 16:-14], atol=1e-5)


def test_noise_is_within_the_blocks():
    net = ResnetGenerator(1, (2, 3), blocks=1, dropout=0.5)
    x = np.random.default_rng(2).normal(size=(1, 8, 8, 1)).astype(np.float32)
    variables = drawn(net, jnp.asarray(x), dtype=np.float32)[0]
    first, second = (call(net.apply, variables, x, train=True, rngs={"dropout": jax.random.key(n)}) for n in (0, 1))
    assert (first != second).any()
