"""Nets between images and latents have the parameters of their papers and come back to any image's sides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from helpers import call

from genjax.errors import InputError
from genjax.nets.conv_latent import ConvLatent, upsampling_conv
from genjax.nets.residual import Residual, ResidualAutoencoder


def parameters(module, shape, method="__call__"):
    like = jax.eval_shape(lambda: module.init(jax.random.key(0), jnp.zeros(shape), method=method))
    return sum(leaf.size for leaf in jax.tree.leaves(like))


def test_the_convolutional_vae_is_that_of_keras_example():
    # Its summary: 69,076 parameters in the encoder, 65,089 in the decoder.
    net = ConvLatent((28, 28, 1), heads=2)
    assert parameters(net, (1, 28, 28, 1), "encode") == 69_076
    assert parameters(net, (1, 2), "decode") == 65_089


@pytest.mark.heavy
@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 14, 3), (5, 1, 1)])
@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
def test_the_decoder_restores_even_and_odd_sizes(shape, kernel):
    x = jnp.zeros((2, *shape))
    for net in (
        ConvLatent(shape, channels=(3, 5), latent=4, kernel=kernel),
        ResidualAutoencoder(shape, channels=(3, 5), latent=4, kernel=kernel),
    ):
        latents = jax.eval_shape(lambda net=net: net.init_with_output(jax.random.key(0), x, method="encode"))[0]
        assert latents.shape[-1] == 4
        assert jax.eval_shape(lambda net=net: net.init_with_output(jax.random.key(0), x))[0].shape == x.shape


def test_upsampling_to_even_sizes_is_flaxs_transposed_convolution():
    x = jax.random.normal(jax.random.key(0), (2, 7, 4, 3))
    ours = upsampling_conv(5, 3, (14, 8), nn.initializers.normal(), "up")
    theirs = nn.ConvTranspose(5, (3, 3), (2, 2), transpose_kernel=True)
    variables = call(ours.init, jax.random.key(1), x)
    np.testing.assert_allclose(call(ours.apply, variables, x), call(theirs.apply, variables, x), rtol=1e-5, atol=1e-6)


def test_a_residual_block_is_its_input_and_a_correction():
    x = jax.random.normal(jax.random.key(0), (2, 4, 5, 3))
    block = Residual(6)
    params = call(block.init, jax.random.key(1), x)["params"]

    def convolve(x, layer):
        kernel = layer["kernel"]
        return jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        ) + layer.get("bias", 0)

    expected = x + convolve(jax.nn.relu(convolve(jax.nn.relu(x), params["Conv_0"])), params["Conv_1"])
    np.testing.assert_allclose(call(block.apply, {"params": params}, x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("net", [ConvLatent, ResidualAutoencoder])
def test_a_kernel_that_does_not_reach_every_pixel_is_refused(net):
    with pytest.raises(InputError, match="kernel=1: expected at least 2"):
        parameters(net((8, 8, 1), kernel=1), (1, 8, 8, 1))
