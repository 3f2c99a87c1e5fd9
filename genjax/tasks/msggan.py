"""GANs whose critic takes an image in all sizes at once, so that gradients reach every stage of the generator.

Source: arXiv:1903.06048.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.nets import contracts, doubling, msggan
from genjax.ops.pixels import to_float
from genjax.ops.resample import downsample2x
from genjax.tasks import sampling
from genjax.tasks.adversarial import Players, Setup, base_config, ignoring_step, init_state, make_step, validation

GENERATORS = {"msggan": msggan.Generator}
CRITICS = {"msggan": msggan.Critic}
UNUSED = (
    *("classes", "packing", "replay.capacity", "augment", "instance_noise.std"),
    *("penalty.dragan", "loss.feature_matching"),
)
"""Keys for images of one size."""


def config() -> ConfigDict:
    """Every key of a multi-scale GAN's config with its default, locked."""
    c = base_config(task="msggan")
    c.latent = 512
    c.generator = ConfigDict({"net": "msggan"})  # further keys: the fields of genjax.nets.msggan.Generator
    c.critic = ConfigDict({"net": "msggan"})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A multi-scale GAN for images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    fixed = {"shape": tuple(shape), "remat": c.remat}
    generator = construct(GENERATORS, c.generator, "generator", contracts.MultiScaleGenerator.check, **fixed)
    critic = construct(CRITICS, c.critic, "critic", contracts.MultiScaleCritic.check, remat=c.remat)
    doubling.check_stages("critic", shape, critic.channels)
    validation.validate(c, generator, critic, shape)
    validation.reject_unused(c, UNUSED, "images of several sizes")
    apply = computing_in(c.dtype, generator.apply)

    def scales(variables, z, step, **options):
        return apply(variables, z, method="scales", **options)

    def preprocess_real(x, step):
        return pyramid(to_float(x, generator.output), len(critic.channels))

    players = Players(scales, ignoring_step(computing_in(c.dtype, critic.apply)), preprocess_real)

    def init(key):
        keys = jax.random.split(key)
        images = preprocess_real(jnp.zeros((1, *shape)), 0)
        nets = generator.init(keys[0], jnp.zeros((1, c.latent))), critic.init(keys[1], images)
        return init_state(c, *nets, shape)

    def generate(state, z, ema):
        return generator.apply(sampling.generator_variables(state, ema), z)

    step = make_step(Setup.of(c, players, shape, c.batch))
    phase = Phase("train", c.steps, c.batch, step, batches_per_step=c.critic_steps)
    return Task(init, (phase,), sampling.outputs(generate, c.latent, generator.output, bits=c.data.bits))


def pyramid(x, stages: int):
    """Images and their halves, a tuple with the smallest first. Shapes: x [B, H, W, C] -> `stages` of them."""
    images = [x]
    while len(images) < stages:
        images.append(downsample2x(images[-1]))
    return tuple(reversed(images))
