"""Names of the random keys within a step. Key number n of a tuple is fold_in(key, n)."""

from typing import NamedTuple, TypeVar

import jax

from genjax.engine.state import Key

LAYER_NOISE = 2**31
"""Number of the key of noise in a generator's layers, out of reach of the numbers of examples."""

T = TypeVar("T")


def derive(names: type[T], key: Key) -> T:
    """A tuple of keys that are functions of one key; `names` is one of the tuples below."""
    return names(*(jax.random.fold_in(key, number) for number in range(len(names._fields))))


class StepKeys(NamedTuple):
    """Keys of a step."""

    generator: Key
    critic: Key  # split over `critic_steps`
    path_length: Key  # of StyleGAN2's regularization


class CriticKeys(NamedTuple):
    """Keys of an update of the critic."""

    latents: Key
    loss: Key  # split over microbatches
    real_input: Key
    fake_input: Key
    replay: Key


class CriticLossKeys(NamedTuple):
    """Keys of the critic's loss."""

    real: Key  # of dropout
    fake: Key  # of dropout
    points: Key  # of the points at which penalties are computed
    penalty: Key  # of dropout at those points
    input: Key  # of changes of those points, with `penalty.before_augmentation`


class GeneratorKeys(NamedTuple):
    """Keys of an update of the generator; those of microbatches are of its loss, except `latents`."""

    latents: Key  # and of noise in the generator's layers
    critic: Key  # of dropout
    real_input: Key
    fake_input: Key
    unroll: Key  # split over the updates ahead
