"""Draws from logits: their frequencies are the softmax, at any number of logits."""

import jax
import numpy as np
import pytest

from genjax.ops import categorical


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 16])
def test_equally_spaced_numbers_fall_on_each_index_in_proportion(count):
    logits = np.random.default_rng(count).normal(0, 2, count).astype(np.float32)
    p = np.exp(np.float64(logits))
    n = 5000
    u = ((np.arange(n) + 0.5) / n).astype(np.float32)
    drawn = np.asarray(jax.jit(categorical.draw)(np.tile(logits, (n, 1)), u))
    np.testing.assert_allclose(np.bincount(drawn, minlength=count) / n, p / p.sum(), atol=1.5 / n)
    assert (np.diff(drawn) >= 0).all()


def test_the_impossible_is_never_drawn():
    logits = np.full((4, 7), -np.inf, np.float32)
    logits[:, 3] = 0
    u = np.float32([0, 0.5, np.nextafter(np.float32(1), np.float32(0)), 1])
    np.testing.assert_array_equal(categorical.draw(logits, u), 3)
