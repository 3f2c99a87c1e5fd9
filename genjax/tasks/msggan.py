"""GANs whose critic sees an image in all sizes at once, so that gradients reach every stage of the generator.

Source: arXiv:1903.06048.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.nets import contracts, msggan, progan
from genjax.ops.pixels import to_float
from genjax.ops.resample import downsample2x
from genjax.tasks import sampling
from genjax.tasks.adversarial import step as adversarial
from genjax.tasks.adversarial import validation
from genjax.tasks.adversarial.step import Players, ignoring_step

GENERATORS = {"msggan": msggan.Generator}
CRITICS = {"msggan": msggan.Critic}


def config() -> ConfigDict:
    """Every key of a multi-scale GAN's config with its default, locked."""
    c = adversarial.config(task="msggan")
    c.latent = 512
    c.generator = ConfigDict({"net": "msggan"})  # further keys: the fields of genjax.nets.msggan.Generator
    c.critic = ConfigDict({"net": "msggan"})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A multi-scale GAN for images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    generator = construct(
        GENERATORS, c.generator, "generator", contracts.MultiScaleGenerator.check, shape=tuple(shape), remat=c.remat
    )
    critic = construct(CRITICS, c.critic, "critic", contracts.MultiScaleCritic.check, remat=c.remat)
    progan.check_stages("critic", shape, critic.channels)
    validation.validate(c, generator, critic, shape)
    unused = "classes", "packing", "replay.capacity", "augment", "instance_noise.std", "penalty.dragan"
    validation.reject_unused(c, (*unused, "loss.feature_matching"), "images of several sizes")

    def see(x, step):
        return pyramid(to_float(x, generator.output), len(critic.channels))

    players = [computing_in(c.dtype, net.apply) for net in (generator, critic)]
    scales = lambda *args, **options: players[0](*args, method="scales", **options)  # noqa: E731
    game = Players(ignoring_step(scales), ignoring_step(players[1]), see)

    def init(key):
        keys = jax.random.split(key)
        images = see(jnp.zeros((1, *shape)), 0)
        nets = generator.init(keys[0], jnp.zeros((1, c.latent))), critic.init(keys[1], images)
        return adversarial.first_state(c, *nets, shape)

    def generate(state, z, ema):
        return generator.apply(sampling.weights(state, ema), z)

    step = adversarial.make_step(c, game, shape, c.batch)
    phase = Phase("train", c.steps, c.batch, step, batches_per_step=c.critic_steps)
    return Task(init, (phase,), sampling.outputs(generate, c.latent, generator.output))


def pyramid(x, stages: int):
    """Images and their halves, a tuple with the smallest first. Shapes: x [B, H, W, C] -> `stages` of them."""
    found = [x]
    while len(found) < stages:
        found.append(downsample2x(found[-1]))
    return tuple(reversed(found))
