"""Nets that compute maps again: the same weights from the same key, and the same gradients, of fewer kept numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.nets import msggan, progan, stylegan, stylegan2

SHAPE, CHANNELS = (8, 8, 2), (6, 4)
STYLES = {"channels": CHANNELS, "width": 6, "layers": 1}
Z = np.random.default_rng(0).normal(size=(4, 5))
X = np.random.default_rng(1).normal(size=(4, *SHAPE))
NETS = {
    "progan's generator": (lambda r: progan.Generator(SHAPE, CHANNELS, remat=r), Z),
    "progan's critic": (lambda r: progan.Critic(CHANNELS, remat=r), X),
    "msggan's critic": (lambda r: msggan.Critic(CHANNELS, remat=r), (X[:, ::2, ::2], X)),
    "stylegan's generator": (lambda r: stylegan.Generator(SHAPE, **STYLES, remat=r), Z),
    "stylegan2's generator": (lambda r: stylegan2.Generator(SHAPE, **STYLES, remat=r), Z),
    "stylegan2's critic": (lambda r: stylegan2.Critic(CHANNELS, remat=r), X),
}


def kept(net, variables, x):
    """Numbers that the backward pass is handed."""
    pull = jax.eval_shape(lambda class_onehot: jax.vjp(lambda params: net.apply(params, x), class_onehot)[1], variables)
    return sum(leaf.size for leaf in jax.tree.leaves(pull))


@pytest.mark.heavy
@pytest.mark.parametrize("name", NETS)
def test_the_same_weights_and_fewer_kept_numbers(name):
    make, x = NETS[name]
    plain, lean = make(False), make(True)
    first = [jax.eval_shape(net.init, jax.random.key(0), x) for net in (plain, lean)]
    assert jax.tree.structure(first[0]) == jax.tree.structure(first[1])
    assert kept(lean, first[1], x) < 0.8 * kept(plain, first[0], x)


@pytest.mark.heavy
def test_gradients_and_first_weights_are_the_same():
    make, x = NETS["progan's critic"]
    with jax.enable_x64(True):
        found = []
        for net in (make(False), make(True)):

            def first_and_slope(key, net=net):
                variables = net.init(key, x)
                value = lambda params: jnp.sum(jnp.sin(net.apply({**variables, "params": params}, x)))  # noqa: E731
                return variables, jax.grad(value)(variables["params"])

            found.append(jax.jit(first_and_slope)(jax.random.key(0)))
        (weights, slopes), (others, their_slopes) = found
        jax.tree.map(np.testing.assert_array_equal, weights, others)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), slopes, their_slopes)
