"""The inception score at its ends."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.metrics import inception_score


def test_of_sure_and_even_predictions_is_the_number_of_classes():
    np.testing.assert_allclose(inception_score(np.tile(np.eye(10), (20, 1))), (10, 0), rtol=1e-12, atol=1e-12)


def test_of_undecided_or_collapsed_predictions_is_one():
    for probs in (np.full((50, 5), 0.2), np.tile([0.7, 0.3], (50, 1)), np.tile([1.0, 0, 0], (50, 1))):
        np.testing.assert_allclose(inception_score(probs), (1, 0), rtol=1e-12, atol=1e-12)


def test_of_two_halves_by_hand():
    # Rows (a, 1 - a) and (1 - a, a): the marginal is even, so the score is exp(log 2 - H(a)).
    a = 0.9
    entropy = -a * np.log(a) - (1 - a) * np.log(1 - a)
    found = inception_score(np.tile([[a, 1 - a], [1 - a, a]], (5, 1)), splits=1)
    np.testing.assert_allclose(found, (2 * np.exp(-entropy), 0), rtol=1e-12)


def test_splits_are_consecutive():
    probs = np.repeat(np.eye(10), 10, axis=0)  # sorted by class: each split sees one
    assert inception_score(probs).mean == 1
    np.testing.assert_allclose(inception_score(probs, splits=5), (2, 0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("probs", "text"),
    [
        (np.full((5, 2), 0.5), "10 splits of 5 samples: expected at least 20"),
        (np.full((20, 2), 0.6), "the first row sums to 1.2"),
        (np.tile([2.0, -1], (20, 1)), r"range over \[-1, 2\]"),
        (np.full((20, 2), np.nan), "probs has nan"),
        (np.full(20, 0.5), r"expected \[N, D\]"),
    ],
)
def test_bad_input_is_one_sentence(probs, text):
    with pytest.raises(InputError, match=text):
        inception_score(probs)
