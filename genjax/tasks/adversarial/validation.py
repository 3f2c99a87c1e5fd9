"""What an adversarial task's config cannot mean, refused before anything is compiled."""

from typing import Any

from ml_collections import ConfigDict

from genjax.config import flat
from genjax.errors import InputError
from genjax.extensions import find
from genjax.losses import adversarial as losses
from genjax.losses.adversarial import LOSSES
from genjax.losses.penalty import PENALTIES
from genjax.nets.minibatch import GROUP
from genjax.ops.augment import policies
from genjax.ops.pixels import RANGES
from genjax.tasks.adversarial import step as adversarial


def validate(c: ConfigDict, generator: Any, critic: Any, shape: tuple[int, ...]) -> None:
    """Raise InputError for numbers out of range and choices that do not fit each other or the data."""
    loss = find(LOSSES, c.loss.name, "loss.name", losses.check)
    penalized = bool(adversarial.active_penalties(c))
    if c.augment != "ada":
        policies(c.augment)
    elif len(shape) != 3 or shape[0] != shape[1] or shape[2] not in (1, 3):
        raise InputError(f"augment='ada' turns square images, gray or in color, but the data have shape {list(shape)}")
    if not -1 <= c.ada.target <= 1 or c.ada.kimg <= 0 or c.ada.interval < 1:
        raise InputError(
            f"ada: target={c.ada.target}, kimg={c.ada.kimg}, interval={c.ada.interval}: expected a mean sign from -1 "
            "to 1, thousands of reals above 0 and an interval of at least 1"
        )
    if (generator.output in RANGES) != (len(shape) == 3):
        kind = "pixels" if len(shape) == 3 else "points"
        fit = "tanh or sigmoid" if len(shape) == 3 else "linear"
        raise InputError(f"the data are {kind} of shape {list(shape)}: set generator.output to {fit}")
    for key in ("latent", "critic_steps", "packing", "penalty.interval"):
        if (value := c[key] if "." not in key else c.penalty.interval) < 1:
            raise InputError(f"{key}={value}: expected at least 1")
    weights = {f"penalty.{name}": c.penalty[name] for name in (*PENALTIES, "weight")}
    weights |= {f"loss.{name}": c.loss[name] for name in ("drift", "adversarial", "feature_matching", "auxiliary")}
    weights |= {"instance_noise.std": c.instance_noise.std, "instance_noise.steps": c.instance_noise.steps}
    weights |= {"critic_floor": c.critic_floor, "unroll": c.unroll, "replay.capacity": c.replay.capacity}
    weights |= {"ema.half_life": c.ema.half_life, "ema.ramp": c.ema.ramp}
    for key, value in weights.items():
        if value < 0:
            raise InputError(f"{key}={value}: expected 0 or more")
    if c.penalty.separate_step and not penalized:
        raise InputError(
            "penalty.separate_step=True without a penalty: set the weight of one, or penalty.separate_step=False"
        )
    if c.penalty.separate_step and c.unroll:
        raise InputError(
            f"penalty.separate_step=True with unroll={c.unroll}, which looks ahead at the loss alone: set one of them off"
        )
    if c.classes < 0 or c.classes == 1:
        raise InputError(f"classes={c.classes}: expected 0 (without labels) or at least 2")
    if c.augment and len(shape) != 3:
        raise InputError(f"augment={c.augment!r} is for images, but the data are points: set augment=''")
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
    if getattr(critic, "batch_norm", False) and penalized:
        raise InputError(
            "critic.batch_norm with a gradient penalty: the penalty is of the slope of each example's own logit, which "
            "batch normalization makes a function of the whole batch (arXiv:1704.00028, section 4): set one of them off"
        )
    if c.batch % c.packing:
        raise InputError(f"packing={c.packing} does not divide batch={c.batch}: set batch to a multiple of it")
    check_microbatches(c, c.batch // c.packing, f"the {c.batch // c.packing} judgments of a batch")
    if c.grad_accum_steps > 1 and c.unroll:
        raise InputError(
            f"grad_accum_steps={c.grad_accum_steps} with unroll={c.unroll}, which looks ahead with a whole batch: set one of them "
            "off"
        )
    if c.packing > 1 and c.classes:
        raise InputError(f"packing={c.packing} with classes={c.classes}: a pack has no one class: set one of them off")
    packs = c.batch // c.packing // c.grad_accum_steps
    if critic.minibatch == "stddev" and packs > GROUP and packs % GROUP:
        raise InputError(
            f"critic.minibatch='stddev' is over groups of {GROUP}, which do not divide the {packs} judgments of a "
            f"batch: set batch to a multiple of {GROUP * c.packing * c.grad_accum_steps}"
        )
    if c.replay.capacity and not (c.batch <= c.replay.capacity and 0 < c.replay.share <= 1):
        raise InputError(
            f"replay.capacity={c.replay.capacity}, replay.share={c.replay.share}: expected room for a batch of "
            f"{c.batch}, and a share above 0 and up to 1; without replay, set replay.capacity=0"
        )
    for name, net in (("generator", generator), ("critic", critic)):
        if not c.classes and getattr(net, "conditioning", "concat") != "concat":
            raise InputError(f"{name}.conditioning={net.conditioning!r} needs classes: set classes to their number")


def check_microbatches(c: ConfigDict, batch: int, what: str) -> None:
    """Raise InputError if a batch cannot be worked on in parts."""
    if c.grad_accum_steps < 1 or batch % c.grad_accum_steps:
        raise InputError(f"grad_accum_steps={c.grad_accum_steps}: expected at least 1, and a divisor of {what}")


def reject_unused(c: ConfigDict, keys: tuple[str, ...], whom: str) -> None:
    """Raise InputError if a key that some nets have no use for is not at its default."""
    given, unused = flat(c), flat(adversarial.config(c.task))
    for key in keys:
        if given[key] != unused[key]:
            raise InputError(f"{key}={given[key]} is not for {whom}: leave it at {unused[key]}")
