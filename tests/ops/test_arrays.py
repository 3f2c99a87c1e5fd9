"""Flattened examples and one-hot labels."""

import jax.numpy as jnp
import numpy as np

from genjax.ops.arrays import flatten, one_hot


def test_flatten_keeps_the_batch_and_the_order_of_elements():
    x = jnp.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(flatten(x), np.arange(24.0).reshape(2, 12))


def test_labels_outside_the_classes_become_nan_in_any_shape():
    found = one_hot(jnp.array([[0, 2], [3, -1]]), 3)
    np.testing.assert_array_equal(found[0], [[1, 0, 0], [0, 0, 1]])
    assert np.isnan(found[1]).all()
