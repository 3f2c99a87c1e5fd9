"""A step of adversarial training: updates of the critic, then one of the generator against that critic."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import optax

from genjax.engine.phase import Batch, Metrics, Step
from genjax.engine.state import Key, Net, State, Variables
from genjax.engine.update import accumulated_gradient_step, gradient_step, split_microbatches, update_ema
from genjax.ops import ada
from genjax.tasks.adversarial.inputs import critic_input, fake_batch, generator_inputs, mix_with_replay, real_batch
from genjax.tasks.adversarial.keys import CriticKeys, GeneratorKeys, StepKeys, derive
from genjax.tasks.adversarial.losses import critic_loss, generator_loss, penalty_loss
from genjax.tasks.adversarial.setup import Examples, Setup


def make_step(setup: Setup) -> Step:
    """The step of a phase."""

    def step(state: State, batch: Batch, key: Key) -> tuple[State, Metrics]:
        keys = derive(StepKeys, key)
        critic, extra, stats, critic_metrics = train_critic(setup, state, batch, keys.critic)
        state = with_statistics(state, stats)
        generator, generator_metrics = train_generator(setup, state, critic, extra, batch, keys.generator)
        ema = update_emas(setup, state, generator)
        nets = {"generator": generator, "critic": critic}
        return State(state.step + 1, nets, ema, extra), critic_metrics | generator_metrics

    return step


def with_statistics(state: State, stats: Variables) -> State:
    """A state with these statistics of the generator."""
    generator = state.nets["generator"]
    return state.replace(nets=state.nets | {"generator": generator.replace(stats=generator.stats | stats)})


def train_critic(setup: Setup, state: State, batch: Batch, key: Key) -> tuple[Net, dict, Variables, Metrics]:
    """`critic_steps` updates of the critic, each on a batch of its own. Metrics are those of the last.

    The third result are the generator's statistics that moved (`fake_batch`).
    """
    if not setup.uses_critic:
        return state.nets["critic"], state.extra, {}, {}
    count = setup.config.critic_steps
    keys = jax.random.split(key, count)
    update = partial(update_critic, setup, state, batch)
    stats = state.nets["generator"].stats if setup.config.critic_moves_statistics else {}
    carry = state.nets["critic"], state.extra, stats
    if count == 1:
        carry, metrics = update(carry, (0, keys[0]))
    else:
        carry, metrics = jax.lax.scan(update, carry, (jnp.arange(count), keys))
        metrics = jax.tree.map(lambda m: m[-1], metrics)
    return *carry, metrics


def update_critic(
    setup: Setup, state: State, batch: Batch, carry: tuple[Net, dict, Variables], update: tuple[int | jax.Array, Key]
) -> tuple[tuple[Net, dict, Variables], Metrics]:
    """One update of the critic, and what follows it. `update` is its number within the step, and its key."""
    critic, extra, stats = carry
    state = with_statistics(state, stats)
    number, key = update
    keys = derive(CriticKeys, key)
    real = real_batch(setup, batch, number, state.step)
    fake, stats = fake_batch(setup, state.nets["generator"], real, state.step, keys.latents)
    stored = state.step * setup.config.critic_steps + number
    extra, fake = mix_with_replay(setup, extra, fake, stored, keys.replay)
    real = critic_input(setup, real, state.step, extra, keys.real_input)
    fake = critic_input(setup, fake, state.step, extra, keys.fake_input)

    loss = partial(critic_loss, setup, step=state.step, extra=extra)
    updated, aux = update_net(setup, critic, setup.optimizers["critic"], loss, (real, fake), keys.loss)
    metrics = aux.metrics
    updated, more = penalty_step(setup, updated, real, fake, state.step, extra, keys.loss)
    metrics |= more
    updated, more = keep_below_floor(setup, critic, updated, metrics["critic/loss"])
    metrics |= more
    extra, more = adapt_augmentation(setup, extra, aux.sign)
    metrics |= more
    return (updated, extra, stats), metrics


def penalty_step(
    setup: Setup, critic: Net, real: Examples, fake: Examples, step, extra: dict, key: Key
) -> tuple[Net, Metrics]:
    """Penalties as an update of their own, every `penalty.interval` steps, if `penalty.separate_step`."""
    c = setup.config
    if not c.penalty.separate_step:
        return critic, {}

    def penalize(critic):
        loss = partial(penalty_loss, setup, step=step, extra=extra)
        return update_net(setup, critic, setup.optimizers["critic"], loss, (real, fake), key)

    def skip(critic):
        return critic, {f"critic/{name}": 0.0 for name in setup.penalties}

    return jax.lax.cond(step % c.penalty.interval == 0, penalize, skip, critic)


def keep_below_floor(setup: Setup, before: Net, after: Net, loss) -> tuple[Net, Metrics]:
    """The critic before its update if its loss was below `critic_floor`, if that is set."""
    if not setup.config.critic_floor:
        return after, {}
    moves = loss >= setup.config.critic_floor
    critic = jax.tree.map(partial(jnp.where, moves), after, before)
    return critic, {"critic/moves": moves.astype(jnp.float32)}


def adapt_augmentation(setup: Setup, extra: dict, sign) -> tuple[dict, Metrics]:
    """The probability of augmentations after an update, if augment="ada"."""
    if not setup.adapts:
        return extra, {}
    options = setup.config.ada
    if options.fixed:
        return extra, {"critic/augment": extra["ada"]["p"]}
    adapted = ada.adapt(extra["ada"], sign, setup.batch, options.target, options.kimg, options.interval)
    return extra | {"ada": adapted}, {"critic/augment": adapted["p"]}


def train_generator(
    setup: Setup, state: State, critic: Net, extra: dict, batch: Batch, key: Key
) -> tuple[Net, Metrics]:
    """One update of the generator against a critic. Its reals are those of the critic's last update."""
    real = real_batch(setup, batch, -1, state.step)
    z = generator_inputs(setup, real, derive(GeneratorKeys, key).latents)
    loss = partial(generator_loss, setup, critic=critic, step=state.step, extra=extra)
    return update_net(setup, state.nets["generator"], setup.optimizers["generator"], loss, (real, z), key)


def update_emas(setup: Setup, state: State, generator: Net) -> dict:
    """The moving averages of the state after an update of the generator."""
    ema = setup.config.ema
    averages = {
        name: update_ema(average, generator, state.step, setup.batch, ema.half_life, ema.ramp)
        for name, average in state.ema.items()
    }
    return copy_statistics(setup, averages, generator)


def copy_statistics(setup: Setup, averages: dict, generator: Net) -> dict:
    """Moving averages with the generator's own statistics, if `ema.statistics` is "copied"."""
    if setup.config.ema.statistics != "copied":
        return averages
    return {name: average | generator.stats for name, average in averages.items()}


def update_net(
    setup: Setup, net: Net, tx: optax.GradientTransformation, loss: Callable, batches: tuple, key: Key
) -> tuple:
    """One optimizer step on loss(params, stats, *batches, key) -> scalar, (stats, aux), over microbatches if asked for.

    Returns the net and `aux`, of microbatches its mean.
    """
    count = setup.config.grad_accum_steps
    if count == 1:
        return gradient_step(net, tx, loss, *batches, key)

    def part_loss(params, stats, part):
        batches, key = part
        return loss(params, stats, *batches, key)

    parts = split_microbatches(batches, count), jax.random.split(key, count)
    return accumulated_gradient_step(net, tx, part_loss, parts)
