"""Generative adversarial networks: a pair of nets x an adversarial loss x penalties x an average."""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct, defaults, pick
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import average, create, descend, optimizer
from genjax.errors import InputError
from genjax.losses.adversarial import LOSSES
from genjax.losses.penalty import gradient_penalty, r1, value_and_slope
from genjax.nets import dcgan, mlp
from genjax.ops import noise
from genjax.ops.pixels import RANGES, to_float, to_pixels, to_uint8

GENERATORS = {"mlp": mlp.Generator, "dcgan": dcgan.Generator}
CRITICS = {"mlp": mlp.Critic, "dcgan": dcgan.Critic}


def config() -> ConfigDict:
    """Every key of a GAN's config with its default, locked: a misspelt key in a config file raises."""
    c = defaults(task="gan")
    c.latent = 100  # dimensions of z ~ N(0, 1)
    c.generator = ConfigDict({"net": "dcgan"})  # further keys: the fields of genjax.nets.<net>.Generator
    c.critic = ConfigDict({"net": "dcgan"})
    c.critic_steps = 1  # critic updates, each on fresh reals and fakes, before one of the generator
    c.loss = ConfigDict({"name": "bce", "gradient_penalty": 0.0, "r1": 0.0})  # weights; 0 leaves a penalty out
    adam = {"name": "adam", "learning_rate": 2e-4, "b1": 0.5, "b2": 0.999}
    c.optimizer = ConfigDict({"generator": dict(adam), "critic": dict(adam)})
    c.ema = ConfigDict({"half_life": 0.0, "ramp": 0.05})  # of the generator, in images; 0: no average
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A GAN for examples of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    loss = pick(LOSSES, c.loss.name, "loss.name")
    generator = construct(GENERATORS, c.generator, "generator", shape=tuple(shape))
    critic = construct(CRITICS, c.critic, "critic")
    if (generator.output in RANGES) != (len(shape) == 3):
        kind = "pixels" if len(shape) == 3 else "points"
        fit = "tanh or sigmoid" if len(shape) == 3 else "linear"
        raise InputError(f"the data are {kind} of shape {list(shape)}: set generator.output to {fit}")
    if c.critic_steps < 1:
        raise InputError(f"critic_steps={c.critic_steps}: a step needs at least one update of the critic")
    generator_apply, critic_apply = computing_in(c.dtype, generator.apply), computing_in(c.dtype, critic.apply)
    tx = {name: optimizer(**c.optimizer[name]) for name in ("generator", "critic")}

    def init(key):
        keys = jax.random.split(key)
        nets = {
            "generator": create(generator.init(keys[0], jnp.zeros((1, c.latent))), tx["generator"]),
            "critic": create(critic.init(keys[1], jnp.zeros((1, *shape))), tx["critic"]),
        }
        ema = {"generator": nets["generator"].variables} if c.ema.half_life else {}
        return State(jnp.int32(0), nets, ema, {})

    def generate(params, stats, key):
        """A batch of fakes in training mode, and the statistics it moved.

        Book: its loop makes the critic's fakes in inference mode; here: in training mode, as in arXiv:1511.06434.
        """
        z = noise.normal(key, c.batch, (c.latent,))
        return generator_apply({"params": params, **stats}, z, train=True, mutable=list(stats))

    def judge(params, key):
        """The critic in training mode as a function of examples alone."""
        return lambda x: critic_apply({"params": params}, x, train=True, rngs={"dropout": key})

    def critic_loss(params, stats, real, fake, key):
        k_real, k_fake, k_mix, k_penalty = jax.random.split(key, 4)
        slope_weight, penalty_weight = c.loss.r1, c.loss.gradient_penalty
        if slope_weight:
            on_real, slope = value_and_slope(judge(params, k_real), real)
        else:
            on_real = judge(params, k_real)(real)
        on_fake = judge(params, k_fake)(fake)
        value = loss.critic(on_real, on_fake)
        metrics = {"critic/real": on_real.mean(), "critic/fake": on_fake.mean()}
        if slope_weight:
            metrics["critic/r1"] = r1(slope)
            value += slope_weight * metrics["critic/r1"]
        if penalty_weight:
            metrics["critic/gradient_penalty"] = gradient_penalty(judge(params, k_penalty), real, fake, k_mix)
            value += penalty_weight * metrics["critic/gradient_penalty"]
        return value, (stats, {"critic/loss": value, **metrics})

    def generator_loss(params, stats, critic_params, key):
        k_z, k_critic = jax.random.split(key)
        fake, stats = generate(params, stats, k_z)
        value = loss.generator(judge(critic_params, k_critic)(fake))
        return value, (stats, {"generator/loss": value})

    def step(state, batch, key):
        """Critic updates on reals labelled 1 and fakes labelled 0, then one of the generator against that critic."""
        net, other = state.nets["generator"], state.nets["critic"]
        k_generator, k_critic = jax.random.split(key)

        def update_critic(other, inputs):
            x, key = inputs
            k_z, k_loss = jax.random.split(key)
            fake, _ = generate(net.params, net.stats, k_z)  # the statistics move with the generator's own update
            return descend(other, tx["critic"], critic_loss, to_float(x, generator.output), fake, k_loss)

        keys = jax.random.split(k_critic, c.critic_steps)
        if c.critic_steps == 1:
            other, metrics = update_critic(other, (batch["x"][0], keys[0]))
        else:
            other, metrics = jax.lax.scan(update_critic, other, (batch["x"], keys))
            metrics = jax.tree.map(lambda m: m[-1], metrics)

        net, more = descend(net, tx["generator"], generator_loss, other.params, k_generator)
        ema = {n: average(e, net, state.step, c.batch, c.ema.half_life, c.ema.ramp) for n, e in state.ema.items()}
        state = State(state.step + 1, {"generator": net, "critic": other}, ema, state.extra)
        return state, metrics | more

    def latents(state, seeds, truncation=None):
        """The latent of each seed, whatever the other seeds are. Shapes: seeds int [N] -> [N, latent].

        `truncation` redraws entries beyond it (arXiv:1809.11096, section 3.1).
        """
        return noise.of_seeds(seeds, (c.latent,), truncation)

    def generate_examples(state, z, ema):
        variables = state.ema["generator"] if ema and state.ema else state.nets["generator"].variables
        return generator.apply(variables, z, train=False)

    def decode(state, z, ema=True):
        """Examples of latents, pixels from 0 to 255 and not rounded. Shapes: z [N, latent] -> float [N, *shape]."""
        return to_pixels(generate_examples(state, z, ema), generator.output)

    def sample(state, seeds, truncation=None, ema=True):
        """One example a seed: uint8 pixels, or float32 points. Shapes: seeds int [N] -> [N, *shape].

        The example of a seed does not depend on the others. `ema` uses the averaged weights where there are any.
        """
        return to_uint8(generate_examples(state, latents(state, seeds, truncation), ema), generator.output)

    phase = Phase("train", c.steps, c.batch, step, reals=c.critic_steps)
    return Task(init, (phase,), {"sample": sample, "latents": latents, "decode": decode})
