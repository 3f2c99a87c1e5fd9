"""MSG-GAN's nets: the critic is its formula in float64, and the generator's pictures are those of its stages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy_nets import equalised_conv, equalised_dense, leaky_relu, mean_of_blocks, with_spread

from genjax.nets.msggan import Critic, Generator

CHANNELS = (6, 4, 3)


def randomised(variables):
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape), jnp.float32), variables)


def pictures():
    rng = np.random.default_rng(1)
    return tuple(jnp.asarray(rng.normal(size=(8, side, side, 2)), jnp.float32) for side in (4, 8, 16))


@pytest.mark.parametrize("combine", ["simple", "lin_cat", "cat_lin"])
def test_the_critic_is_its_formula_in_float64(combine):
    """arXiv:1903.06048, eqs. 3 to 5: [x1; x2], [r x1; x2], r [x1; x2], r a 1x1 convolution."""
    net, x = Critic(CHANNELS, combine), pictures()
    p = randomised(net.init(jax.random.key(0), x))["params"]
    layers = iter(p[f"Conv_{i}"] for i in range(len(p)) if f"Conv_{i}" in p)
    h = leaky_relu(equalised_conv(p["from_rgb"], np.float64(x[2])))
    for picture in (x[1], x[0]):
        h = leaky_relu(equalised_conv(next(layers), h))
        h = mean_of_blocks(leaky_relu(equalised_conv(next(layers), h)))
        picture = equalised_conv(next(layers), np.float64(picture), gain=1) if combine == "lin_cat" else picture
        h = np.concatenate([picture, h], 3)
        h = equalised_conv(next(layers), h, gain=1) if combine == "cat_lin" else h
    h = leaky_relu(equalised_conv(next(layers), with_spread(h)))
    expected = equalised_dense(p["Dense_1"], leaky_relu(equalised_dense(p["Dense_0"], h.reshape(8, -1))), gain=1)[:, 0]
    np.testing.assert_allclose(net.apply({"params": p}, x), expected, rtol=3e-4, atol=3e-4)
    assert next(layers, None) is None


def test_the_generators_pictures_are_those_of_its_stages():
    net = Generator((16, 16, 2), CHANNELS)
    z = jax.random.normal(jax.random.key(0), (3, 5))
    variables = net.init(jax.random.key(1), z)
    for stage, picture in enumerate(net.apply(variables, z, method="scales")):
        np.testing.assert_array_equal(picture, net.apply(variables, z, stage=stage))
