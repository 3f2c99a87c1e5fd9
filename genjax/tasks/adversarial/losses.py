"""The losses of the critic and of the generator, as functions of their parameters."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from genjax.engine.state import Key, Net, Variables
from genjax.engine.update import gradient_step
from genjax.tasks.adversarial.inputs import critic_input, generate
from genjax.tasks.adversarial.keys import CriticLossKeys, GeneratorKeys, derive
from genjax.tasks.adversarial.setup import Examples, Setup


class CriticOutput(NamedTuple):
    """Results of a critic in training mode."""

    logits: jax.Array  # [B], or [B, h, w] of patches
    stats: Variables  # updated
    features: jax.Array | None  # [B, F], of critics that have them
    classes: jax.Array | None  # [B, classes], logits of an auxiliary classifier


class CriticAux(NamedTuple):
    """Results of the critic's loss besides its value and statistics."""

    metrics: dict[str, jax.Array]
    sign: jax.Array | None  # [], the mean sign of the logits of reals, for adaptive augmentation


def apply_critic(setup: Setup, params, stats: Variables, examples: Examples, step, key: Key) -> CriticOutput:
    """The critic in training mode. `key` is of dropout."""
    logits, collections = setup.players.critic(
        {"params": params, **stats},
        examples.x,
        step,
        train=True,
        class_onehot=examples.class_onehot,
        rngs={"dropout": key},
        mutable=[*stats, "critic_aux"],
    )
    collections = dict(collections)
    aux = collections.pop("critic_aux", {})
    return CriticOutput(logits, collections, aux.get("features"), aux.get("classes"))


def critic_loss(setup: Setup, params, stats: Variables, real: Examples, fake: Examples, key: Key, *, step, extra: dict):
    """The critic's loss on its inputs. Its statistics follow the reals.

    Shapes: -> scalar, (stats, CriticAux), as `genjax.engine.update.gradient_step` takes it.
    """
    c = setup.config
    keys = derive(CriticLossKeys, key)
    on_real = apply_critic(setup, params, stats, real, step, keys.real)
    on_fake = apply_critic(setup, params, stats, fake, step, keys.fake)
    target = {"target": 1 - c.loss.label_smoothing} if c.loss.label_smoothing else {}
    value = setup.loss.critic(on_real.logits, on_fake.logits, **target)
    metrics = {"critic/real": on_real.logits.mean(), "critic/fake": on_fake.logits.mean()}
    if not c.penalty.separate_step:
        for name, amount in lazy_penalties(setup, params, stats, real, fake, keys, step, extra).items():
            value += setup.penalties[name].weight * amount
            metrics[f"critic/{name}"] = amount
    if c.loss.drift:
        value += setup.loss.share * c.loss.drift * jnp.mean(on_real.logits**2)
    if on_real.classes is not None:
        metrics["critic/classes"] = class_loss(on_real, real) + class_loss(on_fake, fake)
        value += setup.loss.share * c.loss.auxiliary * metrics["critic/classes"]
    sign = jnp.sign(on_real.logits).mean() if setup.adapts else None
    return value, (on_real.stats, CriticAux({"critic/loss": value, **metrics}, sign))


def class_loss(output: CriticOutput, examples: Examples):
    """Cross-entropy of the auxiliary classifier. Source: arXiv:1610.09585, section 3."""
    return optax.softmax_cross_entropy(output.classes, examples.class_onehot).mean()


def penalty(
    setup: Setup, name: str, params, stats, real: Examples, fake: Examples, keys: CriticLossKeys, step, extra: dict
):
    """One penalty without its weight. Points that are not fakes alone have the classes of the reals.

    With `penalty.before_augmentation` it is of slopes in the examples before their changes, of which there is a draw of
    its own, as in the code of arXiv:2006.06676.
    """
    examples, key = {"r1": (real, keys.real), "r2": (fake, keys.fake)}.get(name, (real, keys.penalty))
    changes = setup.config.penalty.before_augmentation

    def critic(x):
        at = examples._replace(x=x)
        at = critic_input(setup, at, step, extra, keys.input) if changes else at
        logits = apply_critic(setup, params, stats, at, step, key).logits
        return logits if logits.ndim == 1 else logits.mean(range(1, logits.ndim))  # one per example

    points = (real.before, fake.before) if changes else (real.x, fake.x)
    return setup.penalties[name].function(critic, *points, keys.points)


def lazy_penalties(
    setup: Setup, params, stats, real: Examples, fake: Examples, keys: CriticLossKeys, step, extra: dict
) -> dict[str, jax.Array]:
    """Each penalty without its weight: every `penalty.interval` steps, scaled by it, and 0 in between."""
    interval = setup.config.penalty.interval
    penalties = {}
    for name in setup.penalties:
        compute = partial(penalty, setup, name, params, stats, real, fake, keys, step, extra)
        if interval == 1:
            penalties[name] = compute()
        else:
            penalties[name] = interval * jax.lax.cond(step % interval == 0, compute, lambda: 0.0)
    return penalties


def penalty_loss(
    setup: Setup, params, stats: Variables, real: Examples, fake: Examples, key: Key, *, step, extra: dict
):
    """The weighted sum of all penalties times their interval, as the loss of a separate update of the critic.

    Shapes: -> scalar, (stats, metrics).
    """
    keys = derive(CriticLossKeys, key)
    value = 0.0
    metrics = {}
    for name, (_, weight) in setup.penalties.items():
        amount = setup.config.penalty.interval * penalty(setup, name, params, stats, real, fake, keys, step, extra)
        value += weight * amount
        metrics[f"critic/{name}"] = amount
    return value, (stats, metrics)


def unrolled_critic(setup: Setup, critic: Net, real: Examples, fake: Examples, step, extra: dict, key: Key) -> Net:
    """The critic after `unroll` further updates, as a function of the fakes. Source: arXiv:1611.02163, eq. 7."""
    if not setup.config.unroll:
        return critic
    loss = partial(critic_loss, setup, step=step, extra=extra)

    def update(critic, key):
        return gradient_step(critic, setup.optimizers["unrolled"], loss, real, fake, key)[0], None

    return jax.lax.scan(update, critic, jax.random.split(key, setup.config.unroll))[0]


def generator_loss(
    setup: Setup, params, stats: Variables, real: Examples, z, key: Key, *, critic: Net, step, extra: dict
):
    """The generator's loss against a fixed critic, or an unrolled one.

    Shapes: z [B, latent], or what `Players.inputs` gives -> scalar, (stats, metrics).
    """
    c = setup.config
    keys = derive(GeneratorKeys, key)
    fake, stats = generate(setup, params, stats, real.class_onehot, z, step, keys.latents)
    distance, metrics = setup.players.distance(real.x, fake.x) if setup.players.distance else (None, {})
    if not setup.uses_critic:
        return distance, (stats, {"generator/loss": distance, **metrics})
    real = critic_input(setup, real, step, extra, keys.real_input)
    fake = critic_input(setup, fake, step, extra, keys.fake_input)
    critic = unrolled_critic(setup, critic, real, fake, step, extra, keys.unroll)
    on_fake = apply_critic(setup, critic.params, critic.stats, fake, step, keys.critic)
    on_real = apply_critic(setup, critic.params, critic.stats, real, step, keys.critic)  # XLA drops it if unused
    value = c.loss.adversarial * setup.loss.generator(on_real.logits, on_fake.logits)
    value = value if distance is None else value + distance
    if c.loss.feature_matching:
        gap = on_real.features.mean(0) - on_fake.features.mean(0)
        metrics["generator/feature_matching"] = jnp.sum(gap**2)
        value += c.loss.feature_matching * metrics["generator/feature_matching"]
    if on_fake.classes is not None:
        metrics["generator/classes"] = class_loss(on_fake, fake)
        value += c.loss.auxiliary * metrics["generator/classes"]
    return value, (stats, {"generator/loss": value, **metrics})
