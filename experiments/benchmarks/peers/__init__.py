"""Who is timed, one file a library: `build(work, variant, images) -> Runner`.

All train the same net on the same float32 data that lie in memory, with the work that a user's step has: draw a batch,
draw noise, dropout, batch normalization in training mode, both phases of a GAN. The library's ordinary means only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.benchmarks.works import Work

Losses = dict[str, float]


@dataclass(frozen=True)
class Runner:
    """A training under way."""

    parameters: dict[str, int]  # trained numbers by net
    run: Callable[[int], Losses]  # take so many steps, wait for them, give the last step's losses


@dataclass(frozen=True)
class Peer:
    """A library and the forms in which a user might run it."""

    module: str
    packages: tuple[str, ...]
    variants: Callable[[Work], tuple[str, ...]]


def _torch(work: Work) -> tuple[str, ...]:
    # On small products threads cost more than they bring.
    choices = ("", " channels_last") if work.convolutional else ("", " 1 thread")
    return tuple(form + choice for form in ("eager", "compile") for choice in choices)


PEERS = {
    "genjax": Peer("with_genjax", ("jax",), lambda work: ("loop",)),
    "torch": Peer("with_torch", ("torch",), _torch),
    "keras": Peer(
        "with_keras",
        ("keras", "tensorflow"),
        lambda work: () if work.equalized else ("tf.function", "tf.function jit_compile"),
    ),
    "keras_train_on_batch": Peer(
        "with_keras",
        ("keras", "tensorflow"),
        lambda work: ("train_on_batch",) if work.name in ("gan", "dcgan", "dcgan_128") else (),
    ),
    "flax": Peer("with_flax", ("flax", "optax"), lambda work: () if work.equalized else ("jit per step",)),
}

FAMILIES = {"torch": ("torch",), "keras": ("keras", "keras_train_on_batch"), "flax": ("flax",)}
"""What a name of --against stands for."""
