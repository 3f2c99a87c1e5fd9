"""Several seeds of one config in one program: every step is mapped over a leading axis of the state, [seeds].

The step counter has no such axis: it is the same for all seeds, so that what is due at some steps stays a branch.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from genjax.engine.state import Key, State, stream

AXES = State(step=None, nets=0, ema=0, extra=0)
"""The axes of a state that are mapped over."""

Seeds = int | Sequence[int]
"""The seed of a run, or those of several that train together. The functions below map over several seeds alone."""


def several(seeds: Seeds) -> bool:
    """Whether several seeds train together."""
    return isinstance(seeds, Sequence)


def keys(seeds: Seeds, name: str) -> Key:
    """The root key of a random stream; of several seeds, one each. Shapes: -> [] or [seeds]."""
    return jnp.stack([stream(seed, name) for seed in seeds]) if several(seeds) else stream(seeds, name)


def map_call(run: Callable, seeds: Seeds) -> Callable:
    """`genjax.engine.loop.phase_call` for seeds.

    Shapes: indices or batches [seeds, capacity, ...] -> metrics [capacity, seeds], finite [seeds].
    """
    return jax.vmap(run, (AXES, None, 0, None, 0), (AXES, 1, 0)) if several(seeds) else run


def map_enter(enter: Callable, seeds: Seeds) -> Callable:
    """`Phase.enter` for seeds, which read the same inputs."""

    def entered(states: State, keys: Key, **inputs: Any) -> State:
        return jax.vmap(partial(enter, **inputs), (AXES, 0), AXES)(states, keys)

    return entered if several(seeds) else enter


def map_prepare(prepare: Callable, seeds: Seeds) -> Callable:
    """`Phase.prepare` for seeds, which read the same inputs."""

    def prepared(states: State, **inputs: Any) -> Any:
        return jax.vmap(partial(prepare, **inputs), (AXES,))(states)

    return prepared if several(seeds) else prepare


def map_init(init: Callable[[Key], State], seeds: Seeds) -> Callable[[Key], State]:
    """`Task.init` for seeds."""
    return jax.vmap(init, out_axes=AXES) if several(seeds) else init


def stack(states: Sequence[State]) -> State:
    """States of one step as one."""
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    return stacked.replace(step=states[0].step)


@partial(jax.jit, static_argnums=1)
def split(states: State, count: int) -> list[State]:
    """The state of each seed."""

    def state(i):
        return jax.tree.map(lambda leaf: leaf[i] if leaf.ndim else leaf, states)

    return list(map(state, range(count)))
