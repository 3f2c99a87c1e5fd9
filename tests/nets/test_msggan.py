"""MSG-GAN's nets: the critic is its formula in float64, and the generator's images are those of its stages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call
from numpy_nets import equalized_conv, equalized_dense, leaky_relu, mean_of_blocks, with_spread

from genjax.nets.msggan import Critic, Generator

CHANNELS = (6, 4, 3)


def randomized(variables):
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape), jnp.float32), variables)


def images():
    rng = np.random.default_rng(1)
    return tuple(jnp.asarray(rng.normal(size=(8, side, side, 2)), jnp.float32) for side in (4, 8, 16))


@pytest.mark.heavy
@pytest.mark.parametrize("combine", ["simple", "lin_cat", "cat_lin"])
def test_the_critic_is_its_formula_in_float64(combine):
    """arXiv:1903.06048, eqs. 3 to 5: [x1; x2], [r x1; x2], r [x1; x2], r a 1x1 convolution."""
    net, x = Critic(CHANNELS, combine), images()
    p = randomized(jax.eval_shape(net.init, jax.random.key(0), x))["params"]
    layers = iter(p[f"Conv_{i}"] for i in range(len(p)) if f"Conv_{i}" in p)
    h = leaky_relu(equalized_conv(p["from_rgb"], np.float64(x[2])))
    for image in (x[1], x[0]):
        h = leaky_relu(equalized_conv(next(layers), h))
        h = mean_of_blocks(leaky_relu(equalized_conv(next(layers), h)))
        image = equalized_conv(next(layers), np.float64(image), gain=1) if combine == "lin_cat" else image
        h = np.concatenate([image, h], 3)
        h = equalized_conv(next(layers), h, gain=1) if combine == "cat_lin" else h
    h = leaky_relu(equalized_conv(next(layers), with_spread(h)))
    expected = equalized_dense(p["Dense_1"], leaky_relu(equalized_dense(p["Dense_0"], h.reshape(8, -1))), gain=1)[:, 0]
    np.testing.assert_allclose(call(net.apply, {"params": p}, x), expected, rtol=3e-4, atol=3e-4)
    assert next(layers, None) is None


@pytest.mark.heavy
def test_the_generators_images_are_those_of_its_stages():
    net = Generator((16, 16, 2), CHANNELS)
    z = jax.random.normal(jax.random.key(0), (3, 5))
    variables = call(net.init, jax.random.key(1), z)
    for stage, image in enumerate(call(net.apply, variables, z, method="scales")):
        np.testing.assert_array_equal(image, call(net.apply, variables, z, stage=stage))
