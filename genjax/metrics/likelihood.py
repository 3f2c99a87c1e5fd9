"""Bounds on the likelihood under a variational autoencoder, in nats."""

from typing import NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks


class Bound(NamedTuple):
    """The mean over examples and its standard error, in nats per example."""

    mean: float
    error: float


def gaussian_kl(mean, logvar):
    """KL(N(mean, exp logvar) || N(0, 1)) in closed form, summed over the latent dimensions, in float64.

    Shapes: mean, logvar [N, D] -> float64 [N].
    Raises: InputError for shapes that differ or NaN.
    Source: arXiv:1312.6114, appendix B.
    """
    mean, logvar = (checks.table(name, z).astype(np.float64) for name, z in (("mean", mean), ("logvar", logvar)))
    checks.same_shape("mean", mean, "logvar", logvar)
    return np.sum(mean**2 + np.expm1(logvar) - logvar, axis=1) / 2


def importance_bound(log_weights):
    """Lower bound on log p(x): E log of the mean of K weights p(x, z) / q(z | x). The ELBO for K = 1; tighter for more.

    Shapes: log_weights [N, K], N examples with K draws of z each; -inf is a weight of zero -> Bound.
    Raises: InputError for fewer than two examples, NaN, or an example without weight.
    Source: arXiv:1509.00519, eq. 8.
    """
    from scipy.special import logsumexp

    log_weights = np.asarray(log_weights, np.float64)
    if log_weights.ndim != 2 or len(log_weights) < 2 or not log_weights.shape[1]:
        raise InputError(f"log_weights have shape {log_weights.shape}: expected [N, K], N at least 2, K at least 1.")
    bounds = logsumexp(log_weights, axis=1) - np.log(log_weights.shape[1])
    checks.finite("the bound of each example", bounds)
    return Bound(float(bounds.mean()), float(bounds.std(ddof=1) / np.sqrt(len(bounds))))
