"""A step of adversarial training, whatever the nets: any loss x penalties x remedies.

Source: arXiv:1406.2661. What the critic sees of an example is made by `view`: instance noise, augmentation, packing.
Where examples have classes, fakes are made for the labels of the reals beside them, so both have one law of classes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.config import defaults, flat, pick
from genjax.engine.phase import Step
from genjax.engine.state import State
from genjax.engine.update import average, create, descend, optimizer
from genjax.errors import InputError
from genjax.losses.adversarial import LOSSES
from genjax.losses.penalty import PENALTIES
from genjax.nets.minibatch import GROUP
from genjax.ops import noise, replay
from genjax.ops.augment import policies
from genjax.ops.pixels import RANGES
from genjax.tasks.sampling import one_hot


def config(task: str) -> ConfigDict:
    """The keys that all adversarial tasks have, with their defaults; not locked."""
    c = defaults(task=task)
    c.latent = 100  # dimensions of z ~ N(0, 1)
    c.classes = 0  # 0: of examples alone; n: given labels from 0 to n - 1
    c.critic_steps = 1  # critic updates, each on fresh reals and fakes, before one of the generator
    c.critic_floor = 0.0  # the critic is not updated where its loss is below
    c.loss = ConfigDict(
        {
            "name": "non_saturating",
            "label_smoothing": 0.0,  # what the label of reals lacks of 1
            "drift": 0.0,  # weight of the reals' mean squared logit, in the critic's (arXiv:1710.10196, appendix A.1)
            "adversarial": 1.0,  # weight in the generator's loss; 0 leaves feature matching alone
            "feature_matching": 0.0,  # weight, in the generator's loss (arXiv:1606.03498, section 3.1)
            "auxiliary": 1.0,  # weight of naming the class, in both losses, where the critic does
        }
    )
    c.penalty = ConfigDict(dict.fromkeys(PENALTIES, 0.0))  # weights, in the critic's loss
    c.penalty.interval = 1  # at every so many steps, of so many times the weight (arXiv:1912.04958, section 3.1)
    adam = {"name": "adam", "learning_rate": 2e-4, "b1": 0.5, "b2": 0.999, "epsilon": 1e-7, "decay": 0}
    c.optimizer = ConfigDict({"generator": dict(adam), "critic": adam | {"weight_clip": 0.0}})  # decay: in steps
    c.ema = ConfigDict({"half_life": 0.0, "ramp": 0.05})  # of the generator, in images; 0: no average
    c.augment = ""  # of what the critic sees: "color,translation,cutout" or some of them
    c.instance_noise = ConfigDict({"std": 0.0, "steps": 0})  # on what it sees; falls to 0 over `steps`, if any
    c.packing = 1  # examples that it judges together (arXiv:1712.04086)
    c.replay = ConfigDict({"capacity": 0, "share": 0.5})  # earlier fakes that are kept; their share of a batch of fakes
    c.unroll = 0  # critic updates that the generator looks ahead (arXiv:1611.02163)
    return c


class Examples(NamedTuple):
    """Reals or fakes, and the one-hots of their classes, if they have any."""

    x: jax.Array  # [B, *shape]
    given: jax.Array | None  # [B, classes]


class Game(NamedTuple):
    """The two nets as they play, `step` being how far training is; each a Linen module's `apply` but for that."""

    generate: Callable  # (variables, z, step, train=, given=, rngs=, mutable=) -> [B, *shape]
    judge: Callable  # (variables, x, step, train=, given=, rngs=, mutable=) -> logits [B]
    see: Callable  # (stored examples uint8 or float32, step) -> reals [B, *shape] as the critic is shown them


def unchanging(apply: Callable) -> Callable:
    """A net that is the same throughout training, as a player of a Game."""
    return lambda variables, x, step, **options: apply(variables, x, **options)


def optimizers(c: ConfigDict) -> dict[str, optax.GradientTransformation]:
    """The generator's, the critic's, and the critic's as the generator looks ahead through it."""
    of_critic = dict(c.optimizer.critic) | {"decay": c.optimizer.critic.decay * c.critic_steps}
    return {
        "generator": optimizer(**c.optimizer.generator),
        "critic": optimizer(**of_critic),
        "ahead": optimizer(**of_critic, differentiable=True),
    }


def first_state(c: ConfigDict, generator: dict, critic: dict, shape: tuple[int, ...]) -> State:
    """The state at step 0, from what the two modules' `init` returned for examples of a shape."""
    tx = optimizers(c)
    nets = {"generator": create(generator, tx["generator"]), "critic": create(_without_seen(critic), tx["critic"])}
    ema = {"generator": nets["generator"].variables} if c.ema.half_life else {}
    kept = {"x": jnp.zeros((c.replay.capacity, *shape))}
    kept |= {"given": jnp.zeros((c.replay.capacity, c.classes))} if c.classes else {}
    return State(jnp.int32(0), nets, ema, {"replay": kept} if c.replay.capacity else {})


def make_step(c: ConfigDict, game: Game, shape: tuple[int, ...], batch_size: int) -> Step:
    """A step on examples of one shape."""
    loss, augmentations, tx = LOSSES[c.loss.name], policies(c.augment), optimizers(c)
    critic_value = partial(loss.critic, target=1 - c.loss.label_smoothing) if c.loss.label_smoothing else loss.critic
    weights = {name: c.penalty[name] for name in PENALTIES if c.penalty[name]}

    def generate(params, stats, given, step, key):
        """A batch of fakes in training mode, and the statistics it moved.

        Book: its loop makes the critic's fakes in inference mode; here: in training mode, as in arXiv:1511.06434.
        """
        z = noise.normal(key, batch_size, (c.latent,))
        rngs = {"noise": jax.random.fold_in(key, 2**31)}  # the numbers of examples are below
        variables = {"params": params, **stats}
        x, stats = game.generate(variables, z, step, train=True, given=given, rngs=rngs, mutable=list(stats))
        return Examples(x, given), stats

    def view(examples, step, key):
        """What the critic sees of examples: under noise, augmented, in packs. Shapes: [B, ..., C] -> [B/n, ..., nC]."""
        x, given = examples
        if c.instance_noise.std:
            left = jnp.maximum(1 - step / c.instance_noise.steps, 0) if c.instance_noise.steps else 1.0
            x += left * c.instance_noise.std * noise.normal(jax.random.fold_in(key, 0), len(x), shape)
        for number, augment in enumerate(augmentations):
            x = augment(x, jax.random.fold_in(key, 1 + number))
        if c.packing > 1:
            x = jnp.moveaxis(x.reshape(-1, c.packing, *shape), 1, -2).reshape(-1, *shape[:-1], shape[-1] * c.packing)
        return Examples(x, given)

    def judge(params, stats, examples, step, key):
        """The critic's logits in training mode, its statistics moved, and what it noticed: features, classes."""
        variables, moved = {"params": params, **stats}, [*stats, "seen"]
        options = {"train": True, "given": examples.given, "rngs": {"dropout": key}, "mutable": moved}
        logits, noticed = game.judge(variables, examples.x, step, **options)
        noticed = dict(noticed)
        return logits, noticed, noticed.pop("seen", {})

    def class_loss(seen, examples):
        """Cross-entropy of the critic's second head."""
        return optax.softmax_cross_entropy(seen["classes"], examples.given).mean()

    def critic_loss(params, stats, real, fake, step, key):
        """Of reals and fakes as the critic sees them. Its statistics move with the reals."""
        k_real, k_fake, k_mix, k_penalty = jax.random.split(key, 4)
        on_real, moved, seen_real = judge(params, stats, real, step, k_real)
        on_fake, _, seen_fake = judge(params, stats, fake, step, k_fake)
        value = critic_value(on_real, on_fake)
        metrics = {"critic/real": on_real.mean(), "critic/fake": on_fake.mean()}

        def penalise(name):
            examples, k = {"r1": (real, k_real), "r2": (fake, k_fake)}.get(name, (real, k_penalty))
            logits = lambda x: judge(params, stats, examples._replace(x=x), step, k)[0]  # noqa: E731
            return PENALTIES[name](logits, real.x, fake.x, k_mix)

        for name, weight in weights.items():
            if c.penalty.interval == 1:
                found = penalise(name)
            else:
                due = step % c.penalty.interval == 0
                found = c.penalty.interval * jax.lax.cond(due, partial(penalise, name), lambda: 0.0)
            metrics[f"critic/{name}"] = found
            value += weight * found
        if c.loss.drift:
            value += c.loss.drift * jnp.mean(on_real**2)
        if "classes" in seen_real:
            metrics["critic/classes"] = class_loss(seen_real, real) + class_loss(seen_fake, fake)
            value += c.loss.auxiliary * metrics["critic/classes"]
        return value, (moved, {"critic/loss": value, **metrics})

    def ahead(other, real, fake, step, key):
        """The critic after `unroll` further updates, a function of the fakes (arXiv:1611.02163, eq. 7)."""

        def update(other, key):
            return descend(other, tx["ahead"], critic_loss, real, fake, step, key)[0], None

        return jax.lax.scan(update, other, jax.random.split(key, c.unroll))[0] if c.unroll else other

    def generator_loss(params, stats, other, real, step, key):
        """Of a critic that is fixed, but for what it would do next."""
        k_z, k_critic = jax.random.split(key)  # the same as fold_in 0 and 1, so others are numbered from 2
        fake, stats = generate(params, stats, real.given, step, k_z)
        real, fake = (view(e, step, jax.random.fold_in(key, n)) for n, e in enumerate((real, fake), 2))
        other = ahead(other, real, fake, step, jax.random.fold_in(key, 4))
        on_fake, _, seen = judge(other.params, other.stats, fake, step, k_critic)
        on_real, _, seen_real = judge(
            other.params, other.stats, real, step, k_critic
        )  # not computed where it is not used
        value = c.loss.adversarial * loss.generator(on_real, on_fake)
        metrics = {}
        if c.loss.feature_matching:
            gap = seen_real["features"].mean(0) - seen["features"].mean(0)
            metrics["generator/feature_matching"] = jnp.sum(gap**2)
            value += c.loss.feature_matching * metrics["generator/feature_matching"]
        if "classes" in seen:
            metrics["generator/classes"] = class_loss(seen, fake)
            value += c.loss.auxiliary * metrics["generator/classes"]
        return value, (stats, {"generator/loss": value, **metrics})

    def remembered(extra, fake, before, key):
        """Fakes of which some are earlier ones, and the state with the new ones kept, after `before` other batches."""
        if not c.replay.capacity:
            return extra, fake
        ring, earlier = extra["replay"], round(c.replay.share * batch_size)
        new = {"x": fake.x} | ({} if fake.given is None else {"given": fake.given})
        ring = replay.store(ring, new, before)
        old = replay.draw(ring, replay.held(before + 1, batch_size, c.replay.capacity), key, earlier)
        mixed = jax.tree.map(lambda old, new: jnp.concatenate([old, new[earlier:]]), old, new)
        return extra | {"replay": ring}, Examples(mixed["x"], mixed.get("given"))

    def step(state, batch, key):
        """Critic updates on reals labelled 1 and fakes labelled 0, then one of the generator against that critic."""
        net, other = state.nets["generator"], state.nets["critic"]
        k_generator, k_critic = jax.random.split(key)
        labels = one_hot(batch["label"], c.classes) if c.classes else None

        def reals(number):
            given = None if labels is None else labels[number]
            return Examples(game.see(batch["x"][number], state.step), given)

        def update_critic(carry, inputs):
            other, extra = carry
            number, key = inputs
            k_z, k_loss = jax.random.split(key)  # the same as fold_in 0 and 1, so others are numbered from 2
            real = reals(number)
            fake, _ = generate(
                net.params, net.stats, real.given, state.step, k_z
            )  # its statistics move with its own update
            extra, fake = remembered(extra, fake, state.step * c.critic_steps + number, jax.random.fold_in(key, 4))
            real, fake = (view(e, state.step, jax.random.fold_in(key, n)) for n, e in enumerate((real, fake), 2))
            moved, metrics = descend(other, tx["critic"], critic_loss, real, fake, state.step, k_loss)
            if c.critic_floor:
                moves = metrics["critic/loss"] >= c.critic_floor
                moved = jax.tree.map(partial(jnp.where, moves), moved, other)
                metrics["critic/moves"] = moves.astype(jnp.float32)
            return (moved, extra), metrics

        keys = jax.random.split(k_critic, c.critic_steps)
        carry = other, state.extra
        if c.critic_steps == 1:
            (other, extra), metrics = update_critic(carry, (0, keys[0]))
        else:
            (other, extra), metrics = jax.lax.scan(update_critic, carry, (jnp.arange(c.critic_steps), keys))
            metrics = jax.tree.map(lambda m: m[-1], metrics)

        last = reals(-1)
        net, more = descend(net, tx["generator"], generator_loss, other, last, state.step, k_generator)
        ema = {n: average(e, net, state.step, batch_size, c.ema.half_life, c.ema.ramp) for n, e in state.ema.items()}
        return State(state.step + 1, {"generator": net, "critic": other}, ema, extra), metrics | more

    return step


def _without_seen(variables):
    return {name: collection for name, collection in variables.items() if name != "seen"}


def refuse(c: ConfigDict, generator: Any, critic: Any, shape: tuple[int, ...]) -> None:
    """Raise InputError for numbers out of range and choices that do not fit each other or the data."""
    loss = pick(LOSSES, c.loss.name, "loss.name")
    policies(c.augment)
    if (generator.output in RANGES) != (len(shape) == 3):
        kind = "pixels" if len(shape) == 3 else "points"
        fit = "tanh or sigmoid" if len(shape) == 3 else "linear"
        raise InputError(f"the data are {kind} of shape {list(shape)}: set generator.output to {fit}")
    for key in ("latent", "critic_steps", "packing", "penalty.interval"):
        if (value := c[key] if "." not in key else c.penalty.interval) < 1:
            raise InputError(f"{key}={value}: expected at least 1")
    weights = {f"penalty.{name}": c.penalty[name] for name in PENALTIES}
    weights |= {f"loss.{name}": c.loss[name] for name in ("drift", "adversarial", "feature_matching", "auxiliary")}
    weights |= {"instance_noise.std": c.instance_noise.std, "instance_noise.steps": c.instance_noise.steps}
    weights |= {"critic_floor": c.critic_floor, "unroll": c.unroll, "replay.capacity": c.replay.capacity}
    weights |= {"ema.half_life": c.ema.half_life, "ema.ramp": c.ema.ramp}
    for key, value in weights.items():
        if value < 0:
            raise InputError(f"{key}={value}: expected 0 or more")
    if c.classes < 0 or c.classes == 1:
        raise InputError(f"classes={c.classes}: expected 0 (without labels) or at least 2")
    if c.augment and len(shape) != 3:
        raise InputError(f"augment={c.augment!r} is for pictures, but the data are points: set augment=''")
    if not 0 <= c.loss.label_smoothing < 1 or (c.loss.label_smoothing and not loss.labels):
        names = ", ".join(name for name, loss in LOSSES.items() if loss.labels)
        raise InputError(
            f"loss.label_smoothing={c.loss.label_smoothing} with loss.name={c.loss.name!r}: expected 0, or less than 1 "
            f"with a loss that has labels: {names}"
        )
    if c.critic_floor and not loss.floor:
        raise InputError(f"critic_floor={c.critic_floor}: the loss {c.loss.name!r} has no least value: set it to 0")
    if not (c.loss.adversarial or c.loss.feature_matching):
        raise InputError("loss.adversarial=0 needs loss.feature_matching, or the generator has nothing to learn from")
    if getattr(critic, "batch_norm", False) and any(c.penalty[name] for name in PENALTIES):
        raise InputError(
            "critic.batch_norm with a gradient penalty: the penalty is of the slope of each example's own logit, which "
            "batch normalisation makes a function of the whole batch (arXiv:1704.00028, section 4): set one of them off"
        )
    if c.batch % c.packing:
        raise InputError(f"packing={c.packing} does not divide batch={c.batch}: set batch to a multiple of it")
    if c.packing > 1 and c.classes:
        raise InputError(f"packing={c.packing} with classes={c.classes}: a pack has no one class: set one of them off")
    if getattr(critic, "minibatch", "") == "stddev" and (packs := c.batch // c.packing) > GROUP and packs % GROUP:
        raise InputError(
            f"critic.minibatch='stddev' is over groups of {GROUP}, which do not divide the {packs} judgements of a "
            f"batch: set batch to a multiple of {GROUP * c.packing}"
        )
    if c.replay.capacity and not (c.batch <= c.replay.capacity and 0 < c.replay.share <= 1):
        raise InputError(
            f"replay.capacity={c.replay.capacity}, replay.share={c.replay.share}: expected room for a batch of "
            f"{c.batch}, and a share above 0 and up to 1; without replay, set replay.capacity=0"
        )
    for name, net in (("generator", generator), ("critic", critic)):
        if not c.classes and getattr(net, "conditioning", "concat") != "concat":
            raise InputError(f"{name}.conditioning={net.conditioning!r} needs classes: set classes to their number")


def refuse_keys(c: ConfigDict, keys: tuple[str, ...], whom: str) -> None:
    """Raise InputError if a key that some nets have no use for is not at its default."""
    given, unused = flat(c), flat(config(c.task))
    for key in keys:
        if given[key] != unused[key]:
            raise InputError(f"{key}={given[key]} is not for {whom}: leave it at {unused[key]}")
