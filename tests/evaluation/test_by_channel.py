"""A classifier of gray images counts the thousand modes of three of them."""

import dataclasses

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.evaluation.nets import COORDINATES, by_channel


def look(_, x):
    """Takes the brightness of the first pixel, 0 to 9, for the class, with a probability of 0.91."""
    p = np.full((len(x), 10), 0.01, np.float32)
    p[np.arange(len(x)), np.asarray(x[:, 0, 0, 0])] = 0.91
    return x.reshape(len(x), -1).astype(np.float32), p


GRAY = dataclasses.replace(COORDINATES, name="toy", dimension=4, apply=look, classes=tuple("abcdefghij"))


def test_a_class_is_that_of_each_channel():
    x = np.random.default_rng(0).integers(10, size=(5, 2, 2, 3))
    net = by_channel(GRAY)
    features, p = net.apply(None, x)
    first = x[:, 0, 0]
    np.testing.assert_array_equal(np.argmax(p, 1), first @ [100, 10, 1])
    np.testing.assert_allclose(np.max(p, 1), 0.91**3, rtol=1e-5)
    np.testing.assert_allclose(np.sum(p, 1), 1, rtol=1e-5)
    assert features.shape == (5, net.dimension)
    np.testing.assert_array_equal(features[2], np.concatenate([x[2, ..., channel].ravel() for channel in range(3)]))
    assert net.classes[37] == "037"


def test_another_number_of_classes_is_refused():
    with pytest.raises(InputError, match="ten classes"):
        by_channel(dataclasses.replace(GRAY, classes=("a", "b")))
