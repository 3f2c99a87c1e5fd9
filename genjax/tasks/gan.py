"""Generative adversarial networks: a generator and a critic of fixed size, and any step of `genjax.tasks.adversarial`.

Latents of a generator with classes end in the class' one-hot, so that `decode` needs nothing else.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.nets import contracts, dcgan, mlp, recurrent_gan, resnet, wavegan
from genjax.ops.pixels import to_float
from genjax.tasks import sampling
from genjax.tasks.adversarial import Players, Setup, base_config, ignoring_step, init_state, make_step, validation

GENERATORS = {"mlp": mlp.Generator, "dcgan": dcgan.Generator, "resnet": resnet.Generator}
GENERATORS |= {"recurrent": recurrent_gan.Generator, "wavegan": wavegan.Generator}
CRITICS = {"mlp": mlp.Critic, "dcgan": dcgan.Critic, "resnet": resnet.Critic, "recurrent": recurrent_gan.Critic}
CRITICS |= {"wavegan": wavegan.Critic}


def config() -> ConfigDict:
    """Every key of a GAN's config with its default, locked: a misspelled key in a config file raises."""
    c = base_config(task="gan")
    c.generator = ConfigDict({"net": "dcgan"})  # further keys: the fields of genjax.nets.<net>.Generator
    c.critic = ConfigDict({"net": "dcgan"})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A GAN for examples of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    generator = construct(GENERATORS, c.generator, "generator", contracts.Generator.check, shape=tuple(shape))
    critic = construct(CRITICS, c.critic, "critic", contracts.Critic.check)
    validation.validate(c, generator, critic, shape)
    validation.check_layers(c, generator, critic)
    validation.reject_unused(c, ("remat",), "these nets, which keep little")
    players = Players(
        generator=ignoring_step(computing_in(c.dtype, generator.apply)),
        critic=ignoring_step(computing_in(c.dtype, critic.apply)),
        preprocess_real=lambda x, step: to_float(x, generator.output),
    )

    def init(key):
        keys = jax.random.split(key)
        class_onehot = jnp.zeros((1, c.classes)) if c.classes else None
        packed = (1, *shape[:-1], shape[-1] * c.packing)
        nets = (
            generator.init(keys[0], jnp.zeros((1, c.latent)), class_onehot=class_onehot),
            critic.init(keys[1], jnp.zeros(packed), class_onehot=class_onehot),
        )
        return init_state(c, *nets, shape)

    def generate(state, z, ema):
        z, class_onehot = sampling.split_class(z, c.latent, c.classes)
        return generator.apply(sampling.generator_variables(state, ema), z, train=False, class_onehot=class_onehot)

    step = make_step(Setup.of(c, players, shape, c.batch))
    phase = Phase("train", c.steps, c.batch, step, batches_per_step=c.critic_steps)
    outputs = sampling.outputs(generate, c.latent, generator.output, c.classes, c.data.bits)
    return Task(init, (phase,), outputs, c.classes)
