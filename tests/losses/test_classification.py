"""Cross-entropy and accuracy of class logits."""

import jax.numpy as jnp
import numpy as np
import pytest

from genjax.losses.classification import accuracy, cross_entropy


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes():
    assert float(cross_entropy(jnp.zeros((3, 5)), jnp.arange(3))) == pytest.approx(np.log(5), rel=1e-6)


def test_a_label_beyond_the_classes_makes_the_loss_nan():
    assert np.isnan(cross_entropy(jnp.zeros((2, 5)), jnp.array([0, 5])))


def test_accuracy_is_the_share_of_right_largest_logits():
    assert float(accuracy(jnp.eye(4), jnp.array([0, 1, 3, 3]))) == 0.75
