"""Sequences completed from each of their beginnings, as a policy gradient needs them."""

import jax
import jax.numpy as jnp
import numpy as np

from genjax.ops import categorical


def slots(steps: int) -> int:
    """The number of rows in which `complete` draws all completions of a sequence: half of its steps."""
    return steps // 2


def complete(begin, advance, tokens, u, first: int = 0):
    """The completions of sequences from their first 1, 2, ... T - 1 tokens.

    `begin(count)` and `advance(carry, tokens)`, which returns carry and logits, are a recurrent net's. Completions of t
    and of T - t tokens take T draws together, so they share a row, one after the other.
    Shapes: tokens int [B, T], u from 0 to 1 [B, slots(T), T] -> int [B, T - 1, T].
    """
    batch, steps = tokens.shape
    rows = np.arange(1, slots(steps) + 1)
    before = jnp.pad(tokens[:, :-1], ((0, 0), (1, 0)), constant_values=first)

    def follow(carry, token):
        carry, _ = advance(carry, token)
        return carry, carry

    _, carries = jax.lax.scan(follow, begin(batch), before.T)  # [T, B, ...]: carries[t - 1] has seen t - 1 tokens

    def starting_at(counts):
        """Carry and last token of sequences of these numbers of tokens. Shapes: counts [R] -> [B * R, ...]."""
        carry = jax.tree.map(lambda c: _flat(c[counts - 1].swapaxes(0, 1)), carries)
        return carry, _flat(tokens[:, counts - 1])

    later = starting_at(steps - rows)
    ends = np.tile(steps - rows, batch)  # the draw with which the second completion of a row begins

    def draw(state, inputs):
        number, u = inputs
        again = ends == number
        state = jax.tree.map(lambda a, b: jnp.where(again.reshape(-1, *[1] * (a.ndim - 1)), b, a), state, later)
        carry, logits = advance(*state)
        token = categorical.draw(logits, u)
        return (carry, token), token

    _, drawn = jax.lax.scan(draw, starting_at(rows), (jnp.arange(steps), _flat(u).T))
    drawn = drawn.T.reshape(batch, len(rows), steps)
    counts = np.arange(1, steps)[:, None]
    row = np.minimum(counts, steps - counts) - 1
    column = np.where(counts <= slots(steps), np.arange(steps) - counts, np.arange(steps))
    known = np.arange(steps) < counts
    return jnp.where(known, tokens[:, None], drawn[:, np.broadcast_to(row, known.shape), np.where(known, 0, column)])


def _flat(x):
    return x.reshape(-1, *x.shape[2:])
