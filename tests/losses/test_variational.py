"""The terms of variational bounds against closed forms, SciPy and the metrics' own float64."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special, stats

from genjax import metrics
from genjax.losses import variational


def latents(seed=0, shape=(7, 3)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.normal(size=shape)


def test_kl_is_the_closed_form_in_float64():
    mean, logvar = latents()
    with jax.enable_x64(True):
        found = variational.gaussian_kl(jnp.array(mean), jnp.array(logvar)).sum(1)
        np.testing.assert_allclose(found, metrics.gaussian_kl(mean, logvar), rtol=1e-13)
    # And it is the integral: E_q log q - log p, by quadrature, of one latent.
    z = np.linspace(-30, 30, 200_001)
    q = stats.norm(mean[0, 0], np.exp(logvar[0, 0] / 2))
    integral = np.trapezoid(q.pdf(z) * (q.logpdf(z) - stats.norm.logpdf(z)), z)
    np.testing.assert_allclose(variational.gaussian_kl(mean[0, 0], logvar[0, 0]), integral, rtol=1e-5)


def test_log_densities_are_scipys():
    mean, logvar = latents()
    z, _ = latents(1)
    std = np.exp(logvar / 2)
    np.testing.assert_allclose(
        variational.log_normal(z, mean, logvar), stats.norm.logpdf(z, mean, std).sum(1), rtol=1e-5
    )
    np.testing.assert_allclose(variational.log_normal(z), stats.norm.logpdf(z).sum(1), rtol=1e-5)
    np.testing.assert_allclose(variational.gaussian(z, mean, 0.3), -stats.norm.logpdf(z, mean, 0.3), rtol=1e-5)


def test_free_nats_have_no_gradient():
    kl = jnp.array([[0.1, 2.0], [0.3, 4.0]])  # means 0.2 and 3 nats
    value, slope = jax.value_and_grad(variational.floored_kl)(kl, 0.5)
    np.testing.assert_allclose(value, 0.5 + 3.0)
    np.testing.assert_array_equal(slope, [[0, 0.5], [0, 0.5]])
    np.testing.assert_allclose(variational.floored_kl(kl, 0.0), kl.sum(1).mean(), rtol=1e-6)


def test_one_weight_is_the_elbo_and_more_are_their_mean_in_nats():
    weights = jnp.array([[-800.0, -801.0, -803.0], [-3.0, -3.0, -3.0]])
    np.testing.assert_array_equal(variational.importance_bound(weights[:, :1]), weights[:, 0])
    expected = special.logsumexp(np.float64(weights), axis=1) - np.log(3)
    np.testing.assert_allclose(variational.importance_bound(weights), expected, rtol=1e-6)


def test_the_warm_up_rises_linearly_to_one():
    values = [float(variational.warm_up(jnp.int32(step), 4)) for step in range(7)]
    assert values == [0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert variational.warm_up(jnp.int32(0), 0) == 1
