"""The range of each number of series that were read so far, and the numbers of their lengths: parts of a state.

A task knows the shape of its data alone. After the first epoch both are those of all examples.
"""

import jax
import jax.numpy as jnp

from genjax.ops.padding import valid_mask


def init_state(shape: tuple[int, int]) -> dict[str, jax.Array]:
    """No series of the shape (T, F) so far."""
    steps, features = shape
    return {"low": jnp.zeros(features), "high": jnp.ones(features), "lengths": jnp.zeros(steps, jnp.int32)}


def update(state: dict[str, jax.Array], x) -> dict[str, jax.Array]:
    """The state after series x, whose padding is NaN. Shapes: x [B, T, F]."""
    valid = valid_mask(x)
    mask = valid[..., None]
    low = jnp.where(mask, x, jnp.inf).min((0, 1))
    high = jnp.where(mask, x, -jnp.inf).max((0, 1))
    some = state["lengths"].sum() > 0
    steps = jnp.arange(1, x.shape[1] + 1)
    return {
        "low": jnp.where(some, jnp.minimum(state["low"], low), low),
        "high": jnp.where(some, jnp.maximum(state["high"], high), high),
        "lengths": state["lengths"] + (valid.sum(1)[:, None] == steps).sum(0, dtype=jnp.int32),
    }


def scale(state: dict[str, jax.Array], x):
    """Series from 0 to 1. Source: `MinMaxScaler` of TimeGAN's authors. Shapes: x [B, T, F], kept."""
    return (x - state["low"]) / (state["high"] - state["low"] + 1e-7)


def unscale(state: dict[str, jax.Array], x):
    """The inverse of `scale`, to rounding. Shapes: x [B, T, F], kept."""
    return x * (state["high"] - state["low"]) + state["low"]


def draw_lengths(state: dict[str, jax.Array], uniform):
    """Lengths with the frequencies of those read so far; all steps before any was read.

    Shapes: uniform numbers on [0, 1) [N] -> int32 [N].
    """
    below = jnp.cumsum(state["lengths"])
    total = below[-1]
    lengths = 1 + (uniform[:, None] * total >= below).sum(1, dtype=jnp.int32)
    return jnp.where(total > 0, jnp.minimum(lengths, len(below)), len(below))
