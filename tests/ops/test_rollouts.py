"""Completions of sequences against a chain whose next token is known."""

import jax.numpy as jnp
import numpy as np
import pytest

from genjax.ops import rollouts

TOKENS = 50


def begin(count):
    return jnp.zeros(count, jnp.int32)


def advance(carry, token):
    """The sum of all tokens so far, and certainty of the token after it: the sum plus 1."""
    carry = carry + token
    return carry, jnp.where(jnp.arange(TOKENS) == (carry[:, None] + 1) % TOKENS, 0.0, -jnp.inf)


@pytest.mark.parametrize("steps", [2, 3, 4, 5, 8])
def test_each_beginning_is_followed_by_what_the_net_says(steps):
    rng = np.random.default_rng(steps)
    x = rng.integers(0, TOKENS, (3, steps))
    u = rng.random((3, rollouts.slots(steps), steps))
    completed = np.asarray(rollouts.complete(begin, advance, jnp.array(x), jnp.float32(u)))
    assert completed.shape == (3, steps - 1, steps)
    for row, made in zip(x, completed, strict=True):
        for count, sequence in enumerate(made, 1):
            expected = list(row[:count])
            while len(expected) < steps:
                expected.append((sum(expected) + 1) % TOKENS)
            assert sequence.tolist() == expected


def test_completions_of_one_sequence_use_different_numbers():
    """With logits that are all equal, tokens are those of u alone: no two draws share one."""
    steps = 7
    u = (np.arange(rollouts.slots(steps) * steps).reshape(1, -1, steps) + 0.5) / 49
    flat = lambda carry, token: (carry, jnp.zeros((1, 49)))  # noqa: E731
    completed = rollouts.complete(begin, flat, jnp.zeros((1, steps), jnp.int32), jnp.float32(u))
    drawn = [token for count, row in enumerate(np.asarray(completed[0]), 1) for token in row[count:]]
    assert len(drawn) == len(set(drawn)) == steps * (steps - 1) // 2
