"""A task: a generator that matches moments, without a critic. Source: arXiv:1502.02761 (GMMN), eqs. 2 and 3."""

from types import SimpleNamespace

import jax.numpy as jnp
from ml_collections import ConfigDict

from experiments.extending.nets import SineGenerator
from genjax.config import defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.ops import noise

BANDWIDTHS = (0.1, 0.3, 1.0, 3.0)


def squared_mmd(x, y):
    """Squared maximum mean discrepancy under a sum of Gaussian kernels. Shapes: [B, D], [B, D] -> []."""

    def kernel(a, b):
        squared = jnp.sum((a[:, None] - b[None]) ** 2, -1)
        return sum(jnp.exp(-squared / (2 * width**2)) for width in BANDWIDTHS).mean()

    return kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)


def config() -> ConfigDict:
    """Every key of the task's config with its default, locked."""
    c = defaults(task="experiments.extending.task:gmmn")
    c.latent = 8
    c.widths = (64, 64)
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A moment-matching generator of points of one shape. Raises: InputError for data that are not points."""
    if len(shape) != 1:
        raise InputError(f"gmmn matches points, but the data have shape {list(shape)}: set data.name=ring8")
    net, tx = SineGenerator(tuple(shape), tuple(c.widths)), optimizer(**c.optimizer)

    def init(key):
        return State(jnp.int32(0), {"generator": init_net(net.init(key, jnp.zeros((1, c.latent))), tx)}, {}, {})

    def loss(params, stats, x, z):
        value = squared_mmd(net.apply({"params": params}, z), x)
        return value, (stats, {"loss": value})

    def step(state, batch, key):
        """One update on a batch of points and as many latents."""
        x = batch["x"][0]
        generator, metrics = gradient_step(state.nets["generator"], tx, loss, x, noise.normal(key, len(x), (c.latent,)))
        return state.replace(step=state.step + 1, nets={"generator": generator}), metrics

    def latents(state, seeds, truncation=None):
        return noise.of_seeds(seeds, (c.latent,), truncation)

    def decode(state, z, ema=True):
        return net.apply(state.nets["generator"].variables, z)

    def sample(state, seeds, truncation=None, ema=True):
        return decode(state, latents(state, seeds, truncation))

    outputs = {"sample": sample, "latents": latents, "decode": decode}
    return Task(init, (Phase("train", c.steps, c.batch, step),), outputs)


gmmn = SimpleNamespace(config=config, build=build)
