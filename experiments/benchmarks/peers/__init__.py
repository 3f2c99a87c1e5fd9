"""The libraries that are timed, one file per library: `build(workload, variant, images) -> Runner`.

All train the same net on the same float32 data in memory, with everything that a user's step has: draw a batch, draw
noise, dropout, batch normalization in training mode, both updates of a GAN; with the library's ordinary means only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.benchmarks.layers import Workload

Losses = dict[str, float]


@dataclass(frozen=True)
class Runner:
    """A training run in progress."""

    parameters: dict[str, int]  # number of trained parameters by net
    run: Callable[[int], Losses]  # take n steps and wait for them; the losses of the last one


@dataclass(frozen=True)
class Peer:
    """A library, and the ways in which a user might run it."""

    module: str
    packages: tuple[str, ...]
    variants: Callable[[Workload], tuple[str, ...]]
    against: str = "loop"  # the variant of genjax that it is timed against


def _torch(workload: Workload) -> tuple[str, ...]:
    # On small products threads cost more than they gain.
    choices = ("", " channels_last") if workload.convolutional else ("", " 1 thread")
    return tuple(form + choice for form in ("eager", "compile") for choice in choices)


def _in_bfloat16(workload: Workload) -> bool:
    """Whether it is timed in bfloat16: dense nets gain nothing, and only a config has a dtype."""
    return workload.convolutional and bool(workload.config)


def _torch_bfloat16(workload: Workload) -> tuple[str, ...]:
    return ("eager channels_last bfloat16", "compile channels_last bfloat16") if _in_bfloat16(workload) else ()


def _float32(workload: Workload) -> tuple[str, ...]:
    return ("loop",) if _in_bfloat16(workload) else ()


PEERS = {
    "genjax": Peer("with_genjax", ("jax",), lambda workload: ("loop",)),
    "genjax_float32": Peer("with_genjax", ("jax",), _float32, "loop bfloat16"),
    "torch": Peer("with_torch", ("torch",), _torch),
    "torch_bfloat16": Peer("with_torch", ("torch",), _torch_bfloat16, "loop bfloat16"),
    "keras": Peer(
        "with_keras",
        ("keras", "tensorflow"),
        lambda workload: () if workload.equalized else ("tf.function", "tf.function jit_compile"),
    ),
    "keras_train_on_batch": Peer(
        "with_keras",
        ("keras", "tensorflow"),
        lambda workload: ("train_on_batch",) if workload.name in ("gan", "dcgan", "dcgan_128") else (),
    ),
    "flax": Peer("with_flax", ("flax", "optax"), lambda workload: () if workload.equalized else ("jit per step",)),
}

FAMILIES = {
    "torch": ("torch", "torch_bfloat16"),
    "keras": ("keras", "keras_train_on_batch"),
    "flax": ("flax",),
    "float32": ("genjax_float32",),
}
"""Name in --against -> peers."""
