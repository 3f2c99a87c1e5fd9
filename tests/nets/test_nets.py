"""The nets are the ones that the papers and textbooks describe."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call

from genjax.errors import InputError
from genjax.nets import dcgan, mlp
from genjax.nets.layers import ConvTranspose, Dropout


def count(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def shapes(module, *args):
    return jax.eval_shape(lambda: module.init(jax.random.key(0), *args))


@pytest.mark.heavy
def test_the_textbooks_dcgan_has_its_parameters():
    # Keras' summary of the same layers: 840,705 with 384 not trainable, and 212,865.
    generator = shapes(dcgan.Generator((28, 28, 1)), jnp.zeros((1, 100)))
    critic = shapes(dcgan.Critic(), jnp.zeros((1, 28, 28, 1)))
    assert count(generator) == 840_705 - 384
    assert sum(leaf.size for leaf in jax.tree.leaves(generator["batch_stats"])) == 384
    assert count(critic) == 212_865


def test_the_classic_gan_has_its_parameters():
    # 30-100-150-784 and 784-150-100-1, dense with biases.
    assert count(shapes(mlp.Generator((28, 28, 1)), jnp.zeros((1, 30)))) == 3_100 + 15_150 + 118_384
    assert count(shapes(mlp.Critic(), jnp.zeros((1, 28, 28, 1)))) == 117_750 + 15_100 + 101


@pytest.mark.heavy
@pytest.mark.parametrize("shape", [(28, 28, 1), (12, 20, 3)])
@pytest.mark.parametrize("order", ["textbook", "paper"])
def test_dcgan_makes_and_judges_images_of_any_fitting_shape(shape, order):
    generator, critic = dcgan.Generator(shape, channels=(8, 4), order=order), dcgan.Critic(channels=(4, 8))
    z = jax.random.normal(jax.random.key(1), (3, 10))
    x, _ = generator.init_with_output(jax.random.key(0), z)
    assert x.shape == (3, *shape)
    assert np.abs(x).max() <= 1
    logits, _ = critic.init_with_output(jax.random.key(0), x)
    assert logits.shape == (3,)


def test_dcgan_refuses_a_shape_that_it_cannot_double_up_to():
    with pytest.raises(InputError, match=r"divide by 4.*\[30, 28, 1\]"):
        dcgan.Generator((30, 28, 1))


def test_transposed_kernels_are_drawn_with_their_own_fans():
    # Glorot's bound sqrt(6 / (k k (in + out))) does not tell the two fans apart; He's (fan in) does.
    layer = ConvTranspose(8, (5, 5), kernel_init=jax.nn.initializers.he_normal())
    kernel = call(layer.init, jax.random.key(0), jnp.zeros((1, 4, 4, 64)))["params"]["kernel"]
    assert kernel.shape == (5, 5, 8, 64)
    np.testing.assert_allclose(kernel.std(), np.sqrt(2 / (25 * 64)), rtol=0.05)


def test_dropout_keeps_the_mean_and_is_off_outside_training():
    x = jnp.ones((64, 1000))
    layer = Dropout(0.4)
    assert (call(layer.apply, {}, x, train=False) == x).all()
    y = call(layer.apply, {}, x, train=True, rngs={"dropout": jax.random.key(0)})
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.6], rtol=1e-6)
    assert abs(float(y.mean()) - 1) < 4 * np.sqrt(0.4 / 0.6 / y.size)


@pytest.mark.heavy
def test_dropout_masks_differ_between_layers_of_one_net():
    critic = dcgan.Critic(channels=(4, 4), dropout=0.5)
    x = jnp.ones((2, 8, 8, 1))
    params = call(critic.init, jax.random.key(0), x)
    outs = [call(critic.apply, params, x, train=True, rngs={"dropout": jax.random.key(k)}) for k in (1, 1, 2)]
    assert (outs[0] == outs[1]).all()
    assert (outs[0] != outs[2]).any()
