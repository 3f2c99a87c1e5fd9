"""The recurrent generator and critic against LSTMs in NumPy; what does not fit is refused."""

import jax
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.errors import InputError
from genjax.nets.recurrent_gan import Critic, Generator

RNG = np.random.default_rng(0)
T, F, WIDTH = 4, 3, 5


def lstm(p, x):
    """h of each step of one series, gates in the order i, f, g, o."""
    h = c = np.zeros(WIDTH)
    out = []
    for row in x:
        i, f, g, o = np.split(row @ p["kernel"] + h @ p["recurrent_kernel"] + p["bias"], 4)
        i, f, o = (1 / (1 + np.exp(-v)) for v in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        out.append(h)
    return np.array(out)


def head(p, h):
    return h @ p["kernel"] + p["bias"]


@pytest.mark.heavy
def test_generator_and_critic_are_their_recursions_with_the_class_at_every_step():
    z, onehot = RNG.normal(size=(2, 2 * T)).astype(np.float32), np.eye(2, dtype=np.float32)
    generator, critic = Generator((T, F), WIDTH), Critic(WIDTH)
    variables = jax.jit(generator.init)(jax.random.key(0), z, class_onehot=onehot)
    x = jax.jit(generator.apply)(variables, z, class_onehot=onehot)
    p = jax.tree.map(np.float64, variables["params"])
    for i in range(2):
        inputs = np.concatenate([z[i].reshape(T, 2), np.tile(onehot[i], (T, 1))], 1)
        np.testing.assert_allclose(x[i], np.tanh(head(p["head"], lstm(p["lstm"], inputs))), atol=2e-6)
    variables = jax.jit(critic.init)(jax.random.key(1), x)
    logits, aux = jax.jit(lambda v, x: critic.apply(v, x, mutable=["critic_aux"]))(variables, x)
    p = jax.tree.map(np.float64, variables["params"])
    for i in range(2):
        h = lstm(p["lstm"], np.float64(x[i]))
        np.testing.assert_allclose(logits[i], head(p["head"], h)[:, 0], atol=2e-5)
        np.testing.assert_allclose(aux["critic_aux"]["features"][i], h[-1], atol=2e-6)


@pytest.mark.parametrize(
    ("shape", "latent", "message"),
    [((28, 28, 1), 28, "set generator.output to tanh"), ((5,), 5, "makes series"), ((24, 5), 100, "multiple of 24")],
)
def test_what_the_recurrent_gan_cannot_make_is_refused(shape, latent, message):
    def shapes():
        return jax.eval_shape(tasks.build(config_of("rgan", latent=latent), shape).init, jax.random.key(0))

    with pytest.raises(InputError, match=message):
        shapes()
