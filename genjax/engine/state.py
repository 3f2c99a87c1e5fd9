"""The state of training: all that changes, and no generator of random numbers or iterator."""

import zlib
from typing import Any

import flax.struct
import jax
import numpy as np

Params = Any
Variables = dict[str, Any]
Key = jax.Array


@flax.struct.dataclass
class Net:
    """One network in training."""

    params: Params
    stats: Variables  # the other collections: {"batch_stats": ...}
    opt: Any  # state of the optimizer

    @property
    def variables(self) -> Variables:
        """The first argument of a Linen module's `apply`."""
        return {"params": self.params, **self.stats}


@flax.struct.dataclass
class State:
    """The state of a run: a step maps it to the next, and a checkpoint holds it."""

    step: jax.Array  # int32[], updates made
    nets: dict[str, Net]
    ema: dict[str, Variables]  # averaged weights and statistics of some of the nets
    extra: dict[str, jax.Array]  # state of a method beyond its nets


def local(state: State) -> State:
    """The copy of a replicated state on this process's first device."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), state)


def leaf_name(path: tuple, separator: str = ".") -> str:
    """The name of a leaf by its path in a state: "ema.generator.params.dense_0.kernel"."""
    return separator.join(str(getattr(p, "key", getattr(p, "name", getattr(p, "idx", p)))) for p in path)


def key_like() -> jax.ShapeDtypeStruct:
    """The shape and type of a key; nothing is computed."""
    return jax.eval_shape(lambda: jax.random.key(0))


def stream(seed: int, name: str) -> Key:
    """The root key of a named random stream ("init", "train", ...). crc32, since Python's hash differs per process."""
    return _key_of(np.int64(seed), np.uint32(zlib.crc32(name.encode())))


@jax.jit  # one program, where random.key and fold_in are four
def _key_of(seed: jax.Array, number: jax.Array) -> Key:
    return jax.random.fold_in(jax.random.key(seed), number)
