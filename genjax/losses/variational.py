"""Terms of variational bounds, in nats. Gaussians have diagonal covariances, as the logarithms of their variances."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.losses.reconstruction import bce, mse

REDUCTIONS = ("mean", "sum")
"""Units of a bound: "sum" is nats per example; "mean" divides the whole bound by the count of numbers of an example."""


def gaussian_kl(mean, logvar):
    """KL(N(mean, exp logvar) || N(0, 1)) of each latent dimension. Shapes: [..., D], [..., D] -> [..., D].

    Source: arXiv:1312.6114, appendix B.
    """
    return (jnp.square(mean) + jnp.expm1(logvar) - logvar) / 2


def log_normal(z, mean=0.0, logvar=0.0):
    """log N(z; mean, exp logvar), summed over latent dimensions. Shapes: [..., D] -> [...]."""
    squares = jnp.square(z - mean) * jnp.exp(-logvar)
    return -jnp.sum(squares + logvar + math.log(2 * math.pi), -1) / 2


def floored_kl(kl, free):
    """The KL of a batch with free bits: sum over latent dimensions of max(free, mean KL), in nats per example.

    A dimension below `free` has no gradient; `free` = 0 is the plain mean.
    Source: arXiv:1606.04934, eq. 15, each latent dimension a group of its own.
    Shapes: kl [B, D] -> [].
    """
    per_latent = kl.mean(0)
    return jnp.maximum(per_latent, free).sum() if free else per_latent.sum()


def importance_bound(log_weights):
    """log of the mean of K weights p(x, z) / q(z | x). Shapes: [..., K] -> [...].

    In expectation a lower bound of log p(x) that rises with K; K = 1 is the ELBO. Source: arXiv:1509.00519, eq. 8.
    """
    return jax.nn.logsumexp(log_weights, axis=-1) - math.log(log_weights.shape[-1])


def warm_up(step, steps):
    """A weight that rises linearly from 0 at the first update to 1 at update `steps` and stays; `steps` = 0: always 1.

    Source: arXiv:1602.02282, "Warm-up from deterministic to variational autoencoder".
    """
    return jnp.minimum(1.0, step / steps) if steps else jnp.float32(1)


def bernoulli(logits, x, std):
    """-log p(x | z) of Bernoulli variables, per number. `std` is not used. Shapes: [...], [...] -> [...]."""
    return bce(logits, x)


def gaussian(y, x, std):
    """-log N(x; y, std^2) per number, normalization included. Shapes: [...], [...] -> [...]."""
    return mse(y, x) / (2 * std**2) + math.log(std) + math.log(2 * math.pi) / 2


class Likelihood(NamedTuple):
    """A distribution p(x | z) of independent numbers.

    Fields:
        nll: (y, x, std) -> -log p(x | z) per number. Shapes: [...], [...] -> [...].
        takes_logits: True if y is the net's output before its activation, False if after.
        pixels: output activations that fit images in [0, 1].
        points: output activations that fit points.
    """

    nll: Callable
    takes_logits: bool
    pixels: tuple[str, ...]
    points: tuple[str, ...]


LIKELIHOODS = {
    "bernoulli": Likelihood(bernoulli, True, ("sigmoid",), ()),
    "gaussian": Likelihood(gaussian, False, ("sigmoid", "linear"), ("linear",)),
}
"""Of grays between 0 and 1, "bernoulli" is the field's custom rather than a density; "gaussian" is a density."""


def check(likelihood: Any) -> None:
    """Raises: InputError for an object that is no likelihood."""
    if not isinstance(likelihood, Likelihood):
        raise InputError(f"expected a genjax.losses.variational.Likelihood, but it is {likelihood!r}")
