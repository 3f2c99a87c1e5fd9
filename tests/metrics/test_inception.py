"""The inception score at its ends."""

import re
import warnings

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.metrics import inception_score


@pytest.mark.filterwarnings("ignore:splits of")
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


def test_with_a_seed_the_order_does_not_matter():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(7, 0.2), 300)
    found = inception_score(probs, seed=0)
    for order in (rng.permutation(300), np.argsort(probs.argmax(1)), np.arange(300)[::-1]):
        assert inception_score(probs[order], seed=0) == found
    assert inception_score(probs, seed=1) != found
    even = inception_score(np.repeat(np.eye(10), 100, 0), seed=0)  # sorted by class
    assert 9.5 < even.mean < 9.8


@pytest.mark.parametrize(("count", "bias"), [(200, 0.2), (500, 0.09), (2000, None)])
def test_a_bias_of_small_splits_is_told_and_true(count, bias):
    """Sure predictions of ten even classes: log of the score is biased by (10 - 1) / 2n."""
    means = []
    rng = np.random.default_rng(0)
    for _ in range(20):
        probs = np.eye(10)[rng.integers(10, size=count)]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            means.append(inception_score(probs).mean)
        assert len(caught) == (bias is not None)
        if bias:
            assert f"splits of {count // 10} samples" in str(caught[0].message)
            told = int(re.search(r"approximately (\d+)%", str(caught[0].message))[1]) / 100
            assert abs(told - bias) < 0.02
    assert abs(np.mean(means) - 10 * np.exp(-9 / (2 * count / 10))) < 0.35


@pytest.mark.filterwarnings("ignore:splits of")
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
