"""Generative adversarial networks: a pair of nets, and any step of `genjax.tasks.adversarial`.

Latents of a generator given classes end in the class' one-hot, so that `decode` needs nothing else.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.nets import dcgan, mlp, resnet
from genjax.ops import noise
from genjax.ops.pixels import to_float, to_pixels, to_uint8
from genjax.tasks import adversarial
from genjax.tasks.adversarial import Game, one_hot, unchanging

GENERATORS = {"mlp": mlp.Generator, "dcgan": dcgan.Generator, "resnet": resnet.Generator}
CRITICS = {"mlp": mlp.Critic, "dcgan": dcgan.Critic, "resnet": resnet.Critic}


def config() -> ConfigDict:
    """Every key of a GAN's config with its default, locked: a misspelt key in a config file raises."""
    c = adversarial.config(task="gan")
    c.generator = ConfigDict({"net": "dcgan"})  # further keys: the fields of genjax.nets.<net>.Generator
    c.critic = ConfigDict({"net": "dcgan"})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A GAN for examples of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    generator = construct(GENERATORS, c.generator, "generator", shape=tuple(shape))
    critic = construct(CRITICS, c.critic, "critic")
    adversarial.refuse(c, generator, critic, shape)
    players = (unchanging(computing_in(c.dtype, net.apply)) for net in (generator, critic))
    game = Game(*players, lambda x, step: to_float(x, generator.output))

    def init(key):
        keys = jax.random.split(key)
        given = jnp.zeros((1, c.classes)) if c.classes else None
        packed = (1, *shape[:-1], shape[-1] * c.packing)
        nets = (
            generator.init(keys[0], jnp.zeros((1, c.latent)), given=given),
            critic.init(keys[1], jnp.zeros(packed), given=given),
        )
        return adversarial.first_state(c, *nets, shape)

    def latents(state, seeds, truncation=None):
        """The latent of each seed, whatever the others are; its class is seed % classes, as a one-hot at the end.

        `truncation` redraws entries beyond it (arXiv:1809.11096, section 3.1).
        Shapes: seeds int [N] -> [N, latent + classes].
        """
        z = noise.of_seeds(seeds, (c.latent,), truncation)
        return jnp.concatenate([z, one_hot(seeds % c.classes, c.classes)], 1) if c.classes else z

    def generate_examples(state, z, ema):
        variables = state.ema["generator"] if ema and state.ema else state.nets["generator"].variables
        z, given = (z[:, : c.latent], z[:, c.latent :]) if c.classes else (z, None)
        return generator.apply(variables, z, train=False, given=given)

    def decode(state, z, ema=True):
        """Examples of latents, pixels from 0 to 255 and not rounded. Shapes: z as of `latents` -> float [N, *shape]."""
        return to_pixels(generate_examples(state, z, ema), generator.output)

    def sample(state, seeds, truncation=None, ema=True):
        """One example a seed: uint8 pixels, or float32 points. Shapes: seeds int [N] -> [N, *shape].

        The example of a seed does not depend on the others. `ema` uses the averaged weights where there are any.
        """
        return to_uint8(generate_examples(state, latents(state, seeds, truncation), ema), generator.output)

    step = adversarial.make_step(c, game, shape, c.batch)
    phase = Phase("train", c.steps, c.batch, step, reals=c.critic_steps)
    return Task(init, (phase,), {"sample": sample, "latents": latents, "decode": decode}, c.classes)
