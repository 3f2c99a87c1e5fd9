"""The metrics of series: which arrays are scored, in which range, and what the protocol has."""

import numpy as np
import pytest

from genjax.data.source import in_memory
from genjax.errors import NotApplicable
from genjax.evaluation.context import EvalContext
from genjax.evaluation.registry import METRICS
from genjax.metrics import series_scores
from genjax.metrics.series_scores import Score

RNG = np.random.default_rng(0)
REAL, MADE = RNG.uniform(-3, 5, (2, 120, 4, 6)).astype(np.float32)


def context(real=REAL, made=MADE):
    return EvalContext(in_memory("samples", "", made, None), in_memory("x", "train", real, None), None, [])


@pytest.fixture
def calls(monkeypatch):
    """Calls of both scores, which are replaced by the mean of what is scored."""
    calls = []
    for name in ("discriminative_score", "predictive_score"):

        def score(reference, samples, **options):
            calls.append((reference, samples, options))
            return Score(samples.mean(), 0.25)

        monkeypatch.setattr(series_scores, name, score)
    return calls


def test_both_sets_are_scored_in_the_range_of_the_reference(calls):
    low, width = REAL.min((0, 1)), np.ptp(REAL, (0, 1))
    values, settings = METRICS["discriminative"](context())
    ((reference, samples, options),) = calls
    np.testing.assert_allclose(reference, (REAL - low) / width, atol=1e-6)
    np.testing.assert_allclose(samples, (MADE - low) / width, atol=1e-6)
    assert (values[0].number, values[0].std) == (pytest.approx(samples.mean()), 0.25)
    assert options == {"seed": 0, "repeats": 5, "iterations": 2000}
    assert settings["scaled"] == "by the reference's range"
    assert (settings["net"], settings["count"], settings["iterations"]) == ("GRU of 3", 120, 2000)


def test_the_predictive_score_stands_beside_that_of_the_reference(calls):
    values, settings = METRICS["predictive"](context(REAL / 10 + 0.4, MADE / 10 + 0.4))
    assert [value.label for value in values] == ["Predictive score", "Predictive score of the reference"]
    assert [value.better for value in values] == ["lower", None]
    (first, second) = calls
    np.testing.assert_array_equal(first[0], second[1])
    np.testing.assert_array_equal(first[1], MADE / 10 + 0.4)
    assert (settings["scaled"], settings["iterations"], settings["predicted"]) == ("no", 5000, "last number")


def test_images_and_points_are_refused():
    for x in (np.zeros((20, 4, 4, 1), np.uint8), np.zeros((20, 2), np.float32)):
        with pytest.raises(NotApplicable, match="for series"):
            METRICS["predictive"](context(x, x))
