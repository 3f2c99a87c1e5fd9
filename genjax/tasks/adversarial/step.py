"""A step of adversarial training, whatever the nets: any loss x penalties x remedies.

Source: arXiv:1406.2661. What the critic sees of an example is made by `view`: instance noise, augmentation, packing.
Where examples have classes, fakes are made for the labels of the reals beside them, so both have one distribution of classes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.config import defaults
from genjax.engine.phase import Step
from genjax.engine.state import State
from genjax.engine.update import (
    accumulated_gradient_step,
    gradient_step,
    init_net,
    merge_microbatches,
    optimizer,
    split_microbatches,
    update_ema,
)
from genjax.errors import InputError
from genjax.extensions import find
from genjax.losses import adversarial, penalty
from genjax.losses.adversarial import LOSSES
from genjax.losses.penalty import PENALTIES
from genjax.ops import ada, noise, replay
from genjax.ops.arrays import one_hot
from genjax.ops.augment import policies


def config(task: str) -> ConfigDict:
    """The keys that all adversarial tasks have, with their defaults; not locked."""
    c = defaults(task=task)
    c.latent = 100  # dimensions of z ~ N(0, 1)
    c.classes = 0  # 0: of examples alone; n: class_onehot labels from 0 to n - 1
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
    c.penalty.name = ""  # a further penalty, "package.module:name" of a function as genjax.losses.penalty has them
    c.penalty.weight = 0.0  # its weight
    c.penalty.interval = 1  # at every so many steps, of so many times the weight (arXiv:1912.04958, section 3.1)
    c.penalty.separate_step = (
        False  # in an update of their own, after the loss', with Adam's constants for one update more
    )
    adam = {"name": "adam", "learning_rate": 2e-4, "b1": 0.5, "b2": 0.999, "epsilon": 1e-7, "decay": 0}
    c.optimizer = ConfigDict({"generator": dict(adam), "critic": adam | {"weight_clip": 0.0}})  # decay: in steps
    c.ema = ConfigDict({"half_life": 0.0, "ramp": 0.05})  # of the generator, in images; 0: no average
    c.augment = ""  # of what the critic sees: "color,translation,cutout" or some of them, or "ada"
    c.ada = ConfigDict({"target": 0.6, "kimg": 500.0, "interval": 4})  # how often and how fast its p is adapted
    c.instance_noise = ConfigDict({"std": 0.0, "steps": 0})  # on what it sees; falls to 0 over `steps`, if any
    c.packing = 1  # examples that it judges together (arXiv:1712.04086)
    c.replay = ConfigDict({"capacity": 0, "share": 0.5})  # earlier fakes that are kept; their share of a batch of fakes
    c.unroll = 0  # critic updates that the generator looks ahead (arXiv:1611.02163)
    c.grad_accum_steps = 1  # parts of a batch whose gradients are summed: what is of a whole batch is then of a part
    c.remat = False  # keep less for the backward pass, and compute it again: for nets of large images
    return c


class Examples(NamedTuple):
    """Reals or fakes, and the one-hots of their classes, if they have any."""

    x: jax.Array  # [B, *shape]
    class_onehot: jax.Array | None  # [B, classes]


class Players(NamedTuple):
    """The two nets as they play, `step` being how far training is; each a Linen module's `apply` but for that."""

    generate: Callable  # (variables, z, step, train=, class_onehot=, rngs=, mutable=) -> [B, *shape]
    judge: Callable  # (variables, x, step, train=, class_onehot=, rngs=, mutable=) -> logits [B]
    see: Callable  # (stored examples uint8 or float32, step) -> reals [B, *shape] as the critic is shown them


def ignoring_step(apply: Callable) -> Callable:
    """A net that is the same throughout training, as a player of a Players."""
    return lambda variables, x, step, **options: apply(variables, x, **options)


def optimizers(c: ConfigDict) -> dict[str, optax.GradientTransformation]:
    """The generator's, the critic's, and the critic's as the generator looks ahead through it."""
    of_critic = dict(c.optimizer.critic) | {"decay": c.optimizer.critic.decay * c.critic_steps}
    of_critic = lazy_regularization_options(of_critic, c.penalty.interval) if c.penalty.separate_step else of_critic
    of_generator = dict(c.optimizer.generator)
    if "path_length" in c and c.path_length.weight:
        of_generator = lazy_regularization_options(of_generator, c.path_length.interval)
    return {
        "generator": optimizer(**of_generator),
        "critic": optimizer(**of_critic),
        "ahead": optimizer(**of_critic, differentiable=True),
    }


def lazy_regularization_options(options: dict[str, Any], interval: int) -> dict[str, Any]:
    """An optimizer's options where every `interval` updates have one more among them, of a regularizer.

    So that what it does in so many updates stays the same. Source: arXiv:1912.04958, appendix B, "lazy regularization".
    """
    share = interval / (interval + 1)
    moments = {name: options[name] ** share for name in ("b1", "b2")}
    return options | {"learning_rate": share * options["learning_rate"], **moments}


def first_state(c: ConfigDict, generator: dict, critic: dict, shape: tuple[int, ...]) -> State:
    """The state at step 0, from what the two modules' `init` returned for examples of a shape."""
    tx = optimizers(c)
    nets = {"generator": init_net(generator, tx["generator"]), "critic": init_net(_without_seen(critic), tx["critic"])}
    ema = {"generator": nets["generator"].variables} if c.ema.half_life else {}
    kept = {"x": jnp.zeros((c.replay.capacity, *shape))}
    kept |= {"class_onehot": jnp.zeros((c.replay.capacity, c.classes))} if c.classes else {}
    extra = {"replay": kept} if c.replay.capacity else {}
    return State(jnp.int32(0), nets, ema, extra | ({"ada": ada.first_state()} if c.augment == "ada" else {}))


def active_penalties(c: ConfigDict) -> dict[str, tuple[Callable, float]]:
    """The penalties whose weight is not 0, with their weights. Raises: InputError for a name that stands for none."""
    active = {name: (penalize, c.penalty[name]) for name, penalize in PENALTIES.items() if c.penalty[name]}
    if bool(c.penalty.name) != bool(c.penalty.weight):
        raise InputError(
            f"penalty.name={c.penalty.name!r} with penalty.weight={c.penalty.weight}: set both, or neither"
        )
    if c.penalty.name:
        active["penalty"] = find({}, c.penalty.name, "penalty.name", penalty.check), c.penalty.weight
    return active


def make_step(c: ConfigDict, game: Players, shape: tuple[int, ...], batch_size: int) -> Step:
    """A step on examples of one shape."""
    loss, tx, adapts = find(LOSSES, c.loss.name, "loss.name", adversarial.check), optimizers(c), c.augment == "ada"
    count = c.grad_accum_steps
    augmentations = () if adapts else policies(c.augment)
    critic_value = partial(loss.critic, target=1 - c.loss.label_smoothing) if c.loss.label_smoothing else loss.critic
    penalties = active_penalties(c)
    weights = {name: weight for name, (_, weight) in penalties.items()}

    def generate(params, stats, class_onehot, z, step, key):
        """Fakes of latents in training mode, and the statistics they moved.

        Book: its loop makes the critic's fakes in inference mode; here: in training mode, as in arXiv:1511.06434.
        """
        rngs = {"noise": jax.random.fold_in(key, 2**31)}  # the numbers of examples are below
        variables = {"params": params, **stats}
        x, stats = game.generate(
            variables, z, step, train=True, class_onehot=class_onehot, rngs=rngs, mutable=list(stats)
        )
        return Examples(x, class_onehot), stats

    def view(examples, step, extra, key):
        """What the critic sees of examples: under noise, augmented, in packs. Shapes: [B, ..., C] -> [B/n, ..., nC]."""
        x, class_onehot = examples
        if c.instance_noise.std:
            left = jnp.maximum(1 - step / c.instance_noise.steps, 0) if c.instance_noise.steps else 1.0
            x += left * c.instance_noise.std * noise.normal(jax.random.fold_in(key, 0), len(x), shape)
        x = ada.augment(x, extra["ada"]["p"], jax.random.fold_in(key, 1)) if adapts else x
        for number, augment in enumerate(augmentations):
            x = augment(x, jax.random.fold_in(key, 1 + number))
        if c.packing > 1:
            x = jnp.moveaxis(x.reshape(-1, c.packing, *shape), 1, -2).reshape(-1, *shape[:-1], shape[-1] * c.packing)
        return Examples(x, class_onehot)

    def judge(params, stats, examples, step, key):
        """The critic's logits in training mode, its statistics moved, and what it noticed: features, classes."""
        variables, moved = {"params": params, **stats}, [*stats, "critic_aux"]
        options = {"train": True, "class_onehot": examples.class_onehot, "rngs": {"dropout": key}, "mutable": moved}
        logits, noticed = game.judge(variables, examples.x, step, **options)
        noticed = dict(noticed)
        return logits, noticed, noticed.pop("critic_aux", {})

    def class_loss(seen, examples):
        """Cross-entropy of the critic's second head."""
        return optax.softmax_cross_entropy(seen["classes"], examples.class_onehot).mean()

    def penalize(name, params, stats, real, fake, step, keys):
        """One penalty, without its weight."""
        k_real, k_fake, k_mix, k_penalty = keys
        examples, key = {"r1": (real, k_real), "r2": (fake, k_fake)}.get(name, (real, k_penalty))
        logits = lambda x: judge(params, stats, examples._replace(x=x), step, key)[0]  # noqa: E731
        return penalties[name][0](logits, real.x, fake.x, k_mix)

    def all_penalties(params, stats, real, fake, step, key):
        """All of them, where they are an update of their own."""
        keys = jax.random.split(key, 4)
        found = {name: c.penalty.interval * penalize(name, params, stats, real, fake, step, keys) for name in weights}
        value = sum(weights[name] * found[name] for name in weights)
        return value, (stats, {f"critic/{name}": found[name] for name in weights})

    def critic_loss(params, stats, real, fake, step, key):
        """Of reals and fakes as the critic sees them. Its statistics move with the reals."""
        k_real, k_fake, k_mix, k_penalty = jax.random.split(key, 4)
        on_real, moved, seen_real = judge(params, stats, real, step, k_real)
        on_fake, _, seen_fake = judge(params, stats, fake, step, k_fake)
        value = critic_value(on_real, on_fake)
        metrics = {"critic/real": on_real.mean(), "critic/fake": on_fake.mean()}

        for name, weight in weights.items() if not c.penalty.separate_step else ():
            found = partial(penalize, name, params, stats, real, fake, step, (k_real, k_fake, k_mix, k_penalty))
            if c.penalty.interval == 1:
                metrics[f"critic/{name}"] = found()
            else:
                due = step % c.penalty.interval == 0
                metrics[f"critic/{name}"] = c.penalty.interval * jax.lax.cond(due, found, lambda: 0.0)
            value += weight * metrics[f"critic/{name}"]
        if c.loss.drift:
            value += c.loss.drift * jnp.mean(on_real**2)
        if "classes" in seen_real:
            metrics["critic/classes"] = class_loss(seen_real, real) + class_loss(seen_fake, fake)
            value += c.loss.auxiliary * metrics["critic/classes"]
        seen_signs = {"signs": jnp.sign(on_real).mean()} if adapts else {}
        return value, (moved, {"critic/loss": value, **metrics, **seen_signs})

    def ahead(other, real, fake, step, key):
        """The critic after `unroll` further updates, a function of the fakes (arXiv:1611.02163, eq. 7)."""

        def update(other, key):
            return gradient_step(other, tx["ahead"], critic_loss, real, fake, step, key)[0], None

        return jax.lax.scan(update, other, jax.random.split(key, c.unroll))[0] if c.unroll else other

    def generator_loss(params, stats, other, real, z, step, extra, key):
        """Of a critic that is fixed, but for what it would do next."""
        k_z, k_critic = jax.random.split(key)  # the same as fold_in 0 and 1, so others are numbered from 2
        fake, stats = generate(params, stats, real.class_onehot, z, step, k_z)
        real, fake = (view(e, step, extra, jax.random.fold_in(key, n)) for n, e in enumerate((real, fake), 2))
        other = ahead(other, real, fake, step, jax.random.fold_in(key, 4))
        on_fake, _, seen = judge(other.params, other.stats, fake, step, k_critic)
        on_real, _, seen_real = judge(other.params, other.stats, real, step, k_critic)  # computed only where used
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

    def fakes(net, class_onehot, step, key):
        """A batch of them for the critic. The generator's statistics move with its own update alone."""
        make = lambda class_onehot, z, key: generate(net.params, net.stats, class_onehot, z, step, key)[0]  # noqa: E731
        z = noise.normal(key, batch_size, (c.latent,))
        if count == 1:
            return make(class_onehot, z, key)
        return merge_microbatches(
            jax.lax.map(
                lambda part: make(*part), (*split_microbatches((class_onehot, z), count), jax.random.split(key, count))
            )
        )

    def play(net, tx, loss, examples, *args, key):
        """One update of a net on batches of examples, at once or in parts."""
        if count == 1:
            return gradient_step(net, tx, loss, *examples, *args, key)
        of_part = lambda params, stats, part: loss(params, stats, *part[0], *args, part[1])  # noqa: E731
        return accumulated_gradient_step(
            net, tx, of_part, (split_microbatches(examples, count), jax.random.split(key, count))
        )

    def remembered(extra, fake, before, key):
        """Fakes of which some are earlier ones, and the state with the new ones kept, after `before` other batches."""
        if not c.replay.capacity:
            return extra, fake
        ring, earlier = extra["replay"], round(c.replay.share * batch_size)
        new = {"x": fake.x} | ({} if fake.class_onehot is None else {"class_onehot": fake.class_onehot})
        ring = replay.store(ring, new, before)
        old = replay.draw(ring, replay.held(before + 1, batch_size, c.replay.capacity), key, earlier)
        mixed = jax.tree.map(lambda old, new: jnp.concatenate([old, new[earlier:]]), old, new)
        return extra | {"replay": ring}, Examples(mixed["x"], mixed.get("class_onehot"))

    def step(state, batch, key):
        """Critic updates on reals labeled 1 and fakes labeled 0, then one of the generator against that critic."""
        net, other = state.nets["generator"], state.nets["critic"]
        k_generator, k_critic = jax.random.split(key)
        labels = one_hot(batch["label"], c.classes) if c.classes else None

        def reals(number):
            class_onehot = None if labels is None else labels[number]
            return Examples(game.see(batch["x"][number], state.step), class_onehot)

        def update_critic(carry, inputs):
            other, extra = carry
            number, key = inputs
            k_z, k_loss = jax.random.split(key)  # the same as fold_in 0 and 1, so others are numbered from 2
            real = reals(number)
            fake = fakes(net, real.class_onehot, state.step, k_z)
            extra, fake = remembered(extra, fake, state.step * c.critic_steps + number, jax.random.fold_in(key, 4))
            real, fake = (view(e, state.step, extra, jax.random.fold_in(key, n)) for n, e in enumerate((real, fake), 2))
            moved, metrics = play(other, tx["critic"], critic_loss, (real, fake), state.step, key=k_loss)
            if c.penalty.separate_step:
                again = lambda net: play(net, tx["critic"], all_penalties, (real, fake), state.step, key=k_loss)  # noqa: E731
                as_it_is = lambda net: (net, {f"critic/{name}": 0.0 for name in weights})  # noqa: E731
                moved, more = jax.lax.cond(state.step % c.penalty.interval == 0, again, as_it_is, moved)
                metrics |= more
            if c.critic_floor:
                moves = metrics["critic/loss"] >= c.critic_floor
                moved = jax.tree.map(partial(jnp.where, moves), moved, other)
                metrics["critic/moves"] = moves.astype(jnp.float32)
            if adapts:
                extra = extra | {"ada": ada.adapt(extra["ada"], metrics.pop("signs"), batch_size, **c.ada)}
                metrics["critic/augment"] = extra["ada"]["p"]
            return (moved, extra), metrics

        keys = jax.random.split(k_critic, c.critic_steps)
        carry = other, state.extra
        if c.critic_steps == 1:
            (other, extra), metrics = update_critic(carry, (0, keys[0]))
        else:
            (other, extra), metrics = jax.lax.scan(update_critic, carry, (jnp.arange(c.critic_steps), keys))
            metrics = jax.tree.map(lambda m: m[-1], metrics)

        examples = reals(-1), noise.normal(jax.random.split(k_generator)[0], batch_size, (c.latent,))
        loss_now = lambda params, stats, *args: generator_loss(params, stats, other, *args)  # noqa: E731
        net, more = play(net, tx["generator"], loss_now, examples, state.step, extra, key=k_generator)
        ema = {n: update_ema(e, net, state.step, batch_size, c.ema.half_life, c.ema.ramp) for n, e in state.ema.items()}
        return State(state.step + 1, {"generator": net, "critic": other}, ema, extra), metrics | more

    return step


def _without_seen(variables):
    return {name: collection for name, collection in variables.items() if name != "critic_aux"}
