"""Scores of series against what is known: equal sets, sets apart, the least error that independent numbers allow."""

import numpy as np
import pytest

from genjax.data.registry import open_source
from genjax.errors import InputError
from genjax.metrics.series_scores import discriminative_score, in_unit_range, predictive_score

FEW = {"repeats": 2, "iterations": 500}


@pytest.fixture(scope="module")
def sines():
    """Two sets of every fourth step."""
    x = open_source("sines").read(np.arange(600))[:, ::4]
    return x[:300], x[300:]


def padded(x):
    """The same with ends, whose frequencies are those of both sets."""
    x = x.copy()
    x[np.arange(6) >= 3 + np.arange(len(x))[:, None] % 4] = np.nan
    return x


@pytest.mark.heavy
def test_equal_distributions_are_not_told_apart_and_others_are(sines):
    """60 of each set are tested: an accuracy of one half has a standard error of 0.046."""
    real, other = sines
    same = discriminative_score(padded(real), padded(other), **FEW)
    assert same.mean < 4 * np.sqrt(0.25 / 120)
    apart = discriminative_score(real, 1 - other, **FEW)
    assert apart.mean > 0.45
    assert apart == discriminative_score(real, 1 - other, **FEW)


@pytest.mark.heavy
def test_independent_numbers_are_predicted_as_well_as_their_medians_allow(sines):
    """The numbers of a sine's step are independent, so that the best prediction is each step's median."""
    real, other = sines
    last = real[:, 1:, -1]
    best = np.abs(last - np.median(last, 0)).mean()
    score = predictive_score(real, other, **FEW)
    assert best - 0.002 < score.mean < 1.2 * best
    constant = predictive_score(real, np.full_like(other, 0.5), **FEW)
    assert constant.mean > np.abs(last - 0.5).mean() - 0.05 > 1.5 * best


def test_a_reference_beyond_the_unit_range_scales_both(sines):
    real, other = sines
    assert in_unit_range(real, other) == (real, other, False)
    scaled, samples, is_scaled = in_unit_range(100 * real - 7, 100 * other - 7)
    assert is_scaled
    assert (scaled.min(), scaled.max()) == (0, pytest.approx(1, abs=1e-6))
    low, width = real.min((0, 1)), np.ptp(real, (0, 1))
    np.testing.assert_allclose(samples, (other - low) / width, atol=1e-4)


def test_what_cannot_be_scored_is_refused(sines):
    real, _ = sines
    with pytest.raises(InputError, match="one T >= 2 and F"):
        discriminative_score(real, real[:, :5])
    with pytest.raises(InputError, match="at least 10 of each"):
        predictive_score(real, real[:9])
