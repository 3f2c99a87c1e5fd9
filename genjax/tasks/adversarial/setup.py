"""The static parts of a step, and the state at step 0."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.engine.state import State
from genjax.engine.update import init_net, optimizer
from genjax.errors import InputError
from genjax.extensions import find
from genjax.losses import adversarial, penalty
from genjax.losses.adversarial import LOSSES, Adversarial
from genjax.losses.penalty import PENALTIES
from genjax.ops import ada
from genjax.ops.augment import policies


class Examples(NamedTuple):
    """Reals or fakes, and the one-hots of their classes, if they have any."""

    x: jax.Array  # [B, *shape]
    class_onehot: jax.Array | None  # [B, classes]
    before: jax.Array | None = None  # x before the changes of `critic_input`, with `penalty.before_augmentation`


class Players(NamedTuple):
    """The forward functions of both nets: Linen's `apply` with the training step added, which nets that grow need."""

    generator: Callable  # (variables, z, step, train=, class_onehot=, rngs=, mutable=) -> x [B, *shape]
    critic: Callable  # (variables, x, step, train=, class_onehot=, rngs=, mutable=) -> logits [B, ...]
    preprocess_real: Callable  # (stored examples uint8 or float32, step) -> reals [B, *shape] as fakes have them
    inputs: Callable | None = None  # reals [B, *shape] -> the generator's inputs z; None: latents z ~ N(0, 1)
    distance: Callable | None = None  # (reals, fakes of their inputs) -> a term of the generator's loss, and metrics


class Penalty(NamedTuple):
    """A penalty and its weight in the critic's loss."""

    function: Callable  # (critic, real, fake, key) -> scalar
    weight: float  # the config's times `loss.share`


@dataclass(frozen=True)
class Setup:
    """All that is static in a step; `of` makes one from a config."""

    config: ConfigDict
    players: Players
    shape: tuple[int, ...]  # of one example
    batch: int  # reals per update of the critic
    loss: Adversarial
    penalties: Mapping[str, Penalty]  # those in use, by name
    optimizers: Mapping[str, optax.GradientTransformation]  # "generator", "critic", "unrolled"
    augmentations: tuple[Callable, ...]  # empty for "ada"
    adapts: bool  # True for augment="ada"

    @property
    def uses_critic(self) -> bool:
        """Whether the generator's loss depends on the critic; otherwise the critic is not trained."""
        c = self.config
        return bool(c.loss.adversarial or c.loss.feature_matching or c.classes)

    @classmethod
    def of(cls, c: ConfigDict, players: Players, shape: tuple[int, ...], batch: int) -> "Setup":
        """The static parts of a step on `batch` examples of one shape. Raises: InputError for unknown names."""
        adapts = c.augment == "ada"
        return cls(
            config=c,
            players=players,
            shape=tuple(shape),
            batch=batch,
            loss=find_loss(c),
            penalties=active_penalties(c),
            optimizers=optimizers(c),
            augmentations=() if adapts else policies(c.augment),
            adapts=adapts,
        )


def ignoring_step(apply: Callable) -> Callable:
    """A player whose net is the same throughout training."""
    return lambda variables, x, step, **options: apply(variables, x, **options)


def find_loss(c: ConfigDict) -> Adversarial:
    """The loss that a config names. Raises: InputError for an unknown name."""
    return find(LOSSES, c.loss.name, "loss.name", adversarial.check)


def active_penalties(c: ConfigDict) -> dict[str, Penalty]:
    """The penalties whose weight is not 0; the one named "package.module:name" is called "penalty".

    Raises: InputError for an unknown name.
    """
    share = find_loss(c).share
    active = {n: Penalty(function, share * c.penalty[n]) for n, function in PENALTIES.items() if c.penalty[n]}
    if bool(c.penalty.name) != bool(c.penalty.weight):
        raise InputError(
            f"penalty.name={c.penalty.name!r} with penalty.weight={c.penalty.weight}: set both, or neither"
        )
    if c.penalty.name:
        function = find({}, c.penalty.name, "penalty.name", penalty.check)
        active["penalty"] = Penalty(function, share * c.penalty.weight)
    return active


def optimizers(c: ConfigDict) -> dict[str, optax.GradientTransformation]:
    """The generator's, the critic's, and one for unrolled updates of the critic, which gradients pass."""
    critic = dict(c.optimizer.critic) | {"decay": c.optimizer.critic.decay * c.critic_steps}
    if c.penalty.separate_step:
        critic = lazy_regularization_options(critic, c.penalty.interval)
    generator = dict(c.optimizer.generator)
    if "path_length" in c and c.path_length.weight:
        generator = lazy_regularization_options(generator, c.path_length.interval)
    return {
        "generator": optimizer(**generator),
        "critic": optimizer(**critic),
        "unrolled": optimizer(**critic, differentiable=True),
    }


def lazy_regularization_options(options: dict[str, Any], interval: int) -> dict[str, Any]:
    """An optimizer's options where every `interval` updates are followed by one more, of a regularizer.

    They keep the effect of `interval` updates of the loss. Source: arXiv:1912.04958, appendix B, "lazy regularization".
    """
    share = interval / (interval + 1)
    moments = {name: options[name] ** share for name in ("b1", "b2")}
    return options | {"learning_rate": share * options["learning_rate"], **moments}


def init_state(c: ConfigDict, generator: dict, critic: dict, shape: tuple[int, ...]) -> State:
    """The state at step 0, from the variables that the nets' `init` returned for examples of a shape."""
    tx = optimizers(c)
    critic = {name: collection for name, collection in critic.items() if name != "critic_aux"}
    nets = {"generator": init_net(generator, tx["generator"]), "critic": init_net(critic, tx["critic"])}
    ema = {"generator": nets["generator"].variables} if c.ema.half_life else {}
    extra = {}
    if c.replay.capacity:
        extra["replay"] = {"x": jnp.zeros((c.replay.capacity, *shape))}
        if c.classes:
            extra["replay"]["class_onehot"] = jnp.zeros((c.replay.capacity, c.classes))
    if c.augment == "ada":
        extra["ada"] = ada.init_state(c.ada.fixed)
    return State(jnp.int32(0), nets, ema, extra)
