"""Everything that changes in training, and nothing else does: no generator of random numbers, no iterator."""

import zlib
from typing import Any

import flax.struct
import jax

Params = Any
Variables = dict[str, Any]
Key = jax.Array


@flax.struct.dataclass
class Net:
    """One network in training."""

    params: Params
    stats: Variables  # the other collections: {"batch_stats": ...}
    opt: Any  # the optimizer's state

    @property
    def variables(self) -> Variables:
        """What a Linen module's `apply` takes."""
        return {"params": self.params, **self.stats}


@flax.struct.dataclass
class State:
    """The state of a run: a checkpoint holds this, and a step maps it to the next."""

    step: jax.Array  # int32[], updates made
    nets: dict[str, Net]
    ema: dict[str, Variables]  # averaged weights and statistics of some of the nets
    extra: dict[str, jax.Array]


def local(state: State) -> State:
    """A state that is whole on every device, as it is on this process's first one."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), state)


def stream(seed: int, name: str) -> Key:
    """The root key of a named random stream ("init", "train", ...). crc32, since Python's hash varies by process."""
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(name.encode()))
