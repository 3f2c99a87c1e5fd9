"""Divergence and bound against integrals and a model whose likelihood is known."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from genjax.errors import InputError
from genjax.metrics import gaussian_kl, importance_bound


def test_the_divergence_is_its_integral():
    mean, logvar = 0.7, -1.2
    q, p = norm(mean, np.exp(logvar / 2)), norm()
    integral = quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -8, 8)[0]
    found = gaussian_kl([[mean, mean], [0, 0]], [[logvar, logvar], [0, 0]])
    np.testing.assert_allclose(found, [2 * integral, 0], rtol=1e-7, atol=1e-15)


def test_the_divergence_of_nearly_the_prior_does_not_cancel():
    # To second order KL = (mean^2 + logvar^2 / 2) / 2.
    np.testing.assert_allclose(gaussian_kl([[1e-6]], [[1e-6]]), [0.75e-12], rtol=1e-6)


def log_weights(draws, examples=400):
    """x = z + noise, both standard normal, so p(x) = N(0, 2); q(z | x) is the prior, a poor posterior."""
    rng = np.random.default_rng(0)
    x = np.sqrt(2) * rng.standard_normal((examples, 1))
    return norm.logpdf(x - rng.standard_normal((examples, draws))), norm.logpdf(x, scale=np.sqrt(2))


def test_the_bound_rises_to_the_likelihood():
    weights, truth = log_weights(2000)
    bounds = [importance_bound(weights[:, :k]).mean for k in (1, 10, 2000)]
    assert bounds[0] < bounds[1] < bounds[2]
    np.testing.assert_allclose(bounds[2], truth.mean(), atol=0.01)
    np.testing.assert_allclose(bounds[0], weights[:, 0].mean(), rtol=1e-12)


def test_exact_posterior_weights_give_the_likelihood_with_its_error():
    found = importance_bound(np.repeat([[-1000.0], [-1004.0]], 7, axis=1))
    np.testing.assert_allclose(found, (-1002, 2), rtol=1e-12)  # std of two numbers 4 apart is 2 sqrt 2, over sqrt 2


def test_weights_of_zero_and_far_below_zero_are_numbers():
    found = importance_bound([[-np.inf, -1e5], [-1e5, -1e5 - 800]])
    np.testing.assert_allclose(found.mean, -1e5 - np.log(2), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: gaussian_kl([[1.0, 2]], [[1.0]]), "expected pairs"),
        (lambda: gaussian_kl([[1.0]], [[np.nan]]), "logvar has nan"),
        (lambda: importance_bound([[1.0, 2]]), "N at least 2"),
        (lambda: importance_bound([1.0, 2]), r"expected \[N, K\]"),
        (lambda: importance_bound([[1.0], [np.nan]]), r"bound of each example has nan at \[1\]"),
        (lambda: importance_bound([[1.0], [-np.inf]]), r"bound of each example has -inf at \[1\]"),
    ],
)
def test_bad_input_is_one_sentence(call, text):
    with pytest.raises(InputError, match=text):
        call()
