"""Configs that adversarial tasks refuse, before anything is compiled. All functions raise InputError."""

from typing import Any

from ml_collections import ConfigDict

from genjax.config import flat, pick
from genjax.errors import InputError
from genjax.losses.adversarial import LOSSES
from genjax.losses.penalty import PENALTIES
from genjax.nets.minibatch import GROUP, GROUPED
from genjax.ops import ada
from genjax.ops.augment import policies
from genjax.ops.pixels import RANGES
from genjax.tasks.adversarial.config import base_config
from genjax.tasks.adversarial.setup import active_penalties, find_loss

AT_LEAST = {
    **dict.fromkeys(("latent", "critic_steps", "packing", "penalty.interval", "ada.interval"), 1),
    **dict.fromkeys(("critic_floor", "unroll", "replay.capacity", "ema.half_life", "ema.ramp"), 0),
    **dict.fromkeys(("instance_noise.std", "instance_noise.steps"), 0),
    **{f"loss.{name}": 0 for name in ("drift", "adversarial", "feature_matching", "auxiliary")},
    **{f"penalty.{name}": 0 for name in (*PENALTIES, "weight")},
}
"""The least value of keys."""

EMA_STATISTICS = ("averaged", "copied")
"""What the average of a generator has of its statistics."""


def validate(c: ConfigDict, generator: Any, critic: Any, shape: tuple[int, ...]) -> None:
    """Refuse values out of range, and choices that do not fit each other, the nets or the data."""
    check_ranges(c)
    check_examples(c, generator, shape)
    check_losses(c)
    check_batches(c, critic)


def check_ranges(c: ConfigDict) -> None:
    """Refuse values out of range."""
    values = flat(c)
    for key, least in AT_LEAST.items():
        if values[key] < least:
            expected = "0 or more" if least == 0 else f"at least {least}"
            raise InputError(f"{key}={values[key]}: expected {expected}")
    pick(ada.PARTS, c.ada.parts, "ada.parts")
    if not 0 <= c.ada.fixed <= 1:
        raise InputError(f"ada.fixed={c.ada.fixed}: expected a probability, or 0 to adapt it")
    pick(EMA_STATISTICS, c.ema.statistics, "ema.statistics")
    if c.classes < 0 or c.classes == 1:
        raise InputError(f"classes={c.classes}: expected 0 (without labels) or at least 2")
    if not -1 <= c.ada.target <= 1 or c.ada.kimg <= 0:
        raise InputError(
            f"ada.target={c.ada.target}, ada.kimg={c.ada.kimg}: expected a mean sign from -1 to 1, and thousands of "
            "reals above 0"
        )
    if c.replay.capacity and not (c.batch <= c.replay.capacity and 0 < c.replay.share <= 1):
        raise InputError(
            f"replay.capacity={c.replay.capacity}, replay.share={c.replay.share}: expected room for a batch of "
            f"{c.batch}, and a share above 0 and up to 1; without replay, set replay.capacity=0"
        )


def check_examples(c: ConfigDict, generator: Any, shape: tuple[int, ...]) -> None:
    """Refuse an output or an augmentation that does not fit the data."""
    images = len(shape) == 3
    if (generator.output in RANGES) != images:
        kind = "pixels" if images else "points"
        fit = "tanh or sigmoid" if images else "linear"
        raise InputError(f"the data are {kind} of shape {list(shape)}: set generator.output to {fit}")
    if c.augment == "ada":
        if not images or min(shape[:2]) < 2 or not ada.fits(c.ada.parts, shape[2]):
            raise InputError(
                f"augment='ada' with ada.parts={c.ada.parts!r} is for images, and its colors for gray or RGB, but the "
                f"data have shape {list(shape)}: set ada.parts='bg', which has no colors, or another augment"
            )
    elif policies(c.augment) and not images:
        raise InputError(f"augment={c.augment!r} is for images, but the data are points: set augment=''")


def check_losses(c: ConfigDict) -> None:
    """Refuse a loss, penalties or options that do not fit each other."""
    loss = find_loss(c)
    if not 0 <= c.loss.label_smoothing < 1 or (c.loss.label_smoothing and not loss.labels):
        names = ", ".join(name for name, loss in LOSSES.items() if loss.labels)
        raise InputError(
            f"loss.label_smoothing={c.loss.label_smoothing} with loss.name={c.loss.name!r}: expected 0, or less than 1 "
            f"with a loss that has labels: {names}"
        )
    if c.critic_floor and not loss.floor:
        raise InputError(f"critic_floor={c.critic_floor}: the loss {c.loss.name!r} has no least value: set it to 0")
    others = [name for name in ("feature_matching", "l1", "perceptual") if name in c.loss]
    if not (c.loss.adversarial or any(c.loss[name] for name in others)):
        needs = " or ".join(f"loss.{name}" for name in others)
        raise InputError(f"loss.adversarial=0 needs {needs}, or the generator has nothing to learn from")
    penalties = active_penalties(c)
    for key in ("separate_step", "before_augmentation"):
        if c.penalty[key] and not penalties:
            raise InputError(f"penalty.{key}=True without a penalty: set the weight of one, or penalty.{key}=False")
    if c.penalty.before_augmentation and c.packing > 1:
        raise InputError(
            f"penalty.before_augmentation=True with packing={c.packing}: a slope is of one example: set one of them off"
        )
    if c.penalty.separate_step and c.unroll:
        raise InputError(
            f"penalty.separate_step=True with unroll={c.unroll}, which unrolls updates by the loss alone: set one of "
            "them off"
        )


def check_batches(c: ConfigDict, critic: Any) -> None:
    """Refuse packs, microbatches and groups that do not divide a batch."""
    if c.batch % c.packing:
        raise InputError(f"packing={c.packing} does not divide batch={c.batch}: set batch to a multiple of it")
    if c.packing > 1 and c.classes:
        raise InputError(f"packing={c.packing} with classes={c.classes}: a pack has no one class: set one of them off")
    check_microbatches(c, c.batch // c.packing, f"the {c.batch // c.packing} logits of a batch")
    if c.grad_accum_steps > 1 and c.unroll:
        raise InputError(
            f"grad_accum_steps={c.grad_accum_steps} with unroll={c.unroll}, which unrolls updates of a whole batch: "
            "set one of them off"
        )
    factor = c.packing * c.grad_accum_steps
    check_groups(critic, c.batch // factor, "logits of a batch", factor)


def check_groups(critic: Any, count: int, noun: str, factor: int) -> None:
    """Refuse groups of the critic's statistic that do not divide its `count` inputs, a batch divided by `factor`."""
    group = getattr(critic, "minibatch_group", GROUP)
    if group < 1:
        raise InputError(f"critic.minibatch_group={group}: expected at least 1")
    if critic.minibatch in GROUPED and count > group and count % group:
        raise InputError(
            f"critic.minibatch={critic.minibatch!r} is over groups of {group}, which do not divide the {count} {noun}: "
            f"set batch to a multiple of {group * factor} (or less than that)"
        )


def check_microbatches(c: ConfigDict, batch: int, noun: str) -> None:
    """Refuse a number of microbatches that does not divide a batch."""
    if c.grad_accum_steps < 1 or batch % c.grad_accum_steps:
        raise InputError(f"grad_accum_steps={c.grad_accum_steps}: expected at least 1, and a divisor of {noun}")


def check_layers(c: ConfigDict, generator: Any, critic: Any) -> None:
    """Refuse batch normalization under a penalty, and conditioning on classes that there are not."""
    check_normalization(c, critic)
    for name, net in (("generator", generator), ("critic", critic)):
        if not c.classes and net.conditioning != "concat":
            raise InputError(f"{name}.conditioning={net.conditioning!r} needs classes: set classes to their number")


def check_normalization(c: ConfigDict, critic: Any) -> None:
    """Refuse batch normalization under a penalty."""
    if critic.batch_norm and active_penalties(c):
        raise InputError(
            "critic.batch_norm with a gradient penalty: the penalty is of the slope of each example's own logit, which "
            "batch normalization makes a function of the whole batch (arXiv:1704.00028, section 4): set one of them off"
        )


def reject_unused(c: ConfigDict, keys: tuple[str, ...], nets: str) -> None:
    """Refuse keys that have no effect on some nets, unless they are at their defaults."""
    values = flat(c)
    defaults = flat(base_config(c.task))
    for key in keys:
        if values[key] != defaults[key]:
            raise InputError(f"{key}={values[key]} is not for {nets}: leave it at {defaults[key]}")
