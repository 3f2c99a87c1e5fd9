"""A ring of earlier examples: the newest are kept, in order, and each that is kept is as likely."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from genjax.ops import replay


def history(capacity, count, batches):
    """A ring after 1, 2, ... batches of the numbers 1, 2, 3, ..., each with its negative as its class."""
    ring, store, rings = {"x": jnp.zeros((capacity, 1)), "given": jnp.zeros(capacity)}, jax.jit(replay.store), []
    for before in range(batches):
        new = 1 + before * count + np.arange(count, dtype=np.float32)
        ring = store(ring, {"x": new[:, None], "given": -new}, before)
        rings.append(jax.device_get(ring))
    return rings


@pytest.mark.heavy
@pytest.mark.parametrize(("capacity", "count"), [(8, 4), (10, 4), (4, 4), (7, 3)])
def test_the_ring_holds_the_newest_examples_and_replaces_the_oldest_first(capacity, count):
    for batches, ring in enumerate(history(capacity, count, 8), 1):
        made, held = batches * count, int(replay.filled(batches, count, capacity))
        assert held == min(made, capacity)
        expected = np.zeros(capacity)
        for number in range(made - held, made):  # from 0; the example 1 + number is at its remainder
            expected[number % capacity] = 1 + number
        np.testing.assert_array_equal(ring["x"][:, 0], expected)
        np.testing.assert_array_equal(ring["given"], -expected)


def test_a_batch_replaces_only_as_many_places_as_it_has_examples():
    *_, before, after = history(12, 4, 6)
    assert (before["x"] != after["x"]).sum() == 4


@pytest.mark.heavy
def test_classes_travel_with_their_examples():
    drawn = replay.draw(jax.tree.map(jnp.asarray, history(10, 4, 6)[-1]), 10, jax.random.key(0), 50)
    np.testing.assert_array_equal(drawn["given"], -drawn["x"][:, 0])


@pytest.mark.heavy
def test_draws_are_uniform_over_what_is_held():
    drawn = np.asarray(replay.draw({"x": jnp.arange(10)}, 10, jax.random.key(0), 20_000)["x"])
    assert stats.chisquare(np.bincount(drawn, minlength=10)).pvalue > 1e-3


def test_before_the_ring_is_full_only_held_places_are_drawn():
    drawn = np.asarray(replay.draw({"x": jnp.arange(10)}, jnp.int32(3), jax.random.key(1), 9_000)["x"])
    counts = np.bincount(drawn, minlength=10)
    assert (counts[3:] == 0).all()
    assert stats.chisquare(counts[:3]).pvalue > 1e-3


@pytest.mark.heavy
def test_the_ring_goes_round_after_more_examples_than_int32_counts():
    """2^31 examples are 2^21 batches of 1024: a long run has more."""
    before, count, capacity = 2**22 + 1, 1024, 5000
    ring = {"x": jnp.full(capacity, -1)}
    ring = jax.jit(replay.store)(ring, {"x": jnp.arange(count)}, jnp.int32(before))
    places = (before * count + np.arange(count)) % capacity
    np.testing.assert_array_equal(ring["x"][places], np.arange(count))
    assert replay.filled(jnp.int32(before + 1), count, capacity) == capacity
