"""The interval of a share: SciPy's, closed forms at the ends, and the probability that it holds the true one."""

import numpy as np
import pytest
from scipy import stats

from genjax.errors import InputError
from genjax.metrics import binomial_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (3, 10), (10, 10), (49, 100), (1, 5000)])
@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_it_is_scipys_exact_interval(successes, trials, confidence):
    expected = stats.binomtest(successes, trials).proportion_ci(confidence, "exact")
    np.testing.assert_allclose(binomial_interval(successes, trials, confidence), expected, rtol=1e-7)  # of its roots


def test_closed_forms():
    assert binomial_interval(0, 0) == (0.0, 1.0)  # nothing is known
    low, high = binomial_interval(0, 20)  # (1 - high)^20 = 0.025
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 20), rel=1e-12)
    low, high = binomial_interval(20, 20)
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 20), rel=1e-12)


@pytest.mark.parametrize("trials", [1, 8, 50])
def test_it_holds_the_true_share_in_95_percent_of_all_cases_whatever_that_is(trials):
    low, high = np.transpose([binomial_interval(k, trials) for k in range(trials + 1)])
    for share in np.linspace(0.001, 0.999, 333):
        chance = stats.binom.pmf(np.arange(trials + 1), trials, share)
        assert chance[(low <= share) & (share <= high)].sum() >= 0.95


@pytest.mark.parametrize(
    ("given", "said"),
    [((3, 2), "3 successes of 2 trials"), ((-1, 2), "successes is -1"), ((1, 2, 1.0), "between 0 and 1")],
)
def test_refusals(given, said):
    with pytest.raises(InputError, match=said):
        binomial_interval(*given)
