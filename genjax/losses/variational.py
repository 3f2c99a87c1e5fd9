"""The terms of variational bounds, in nats. Gaussians have diagonal covariances, given by the log of each variance."""

import math

import jax
import jax.numpy as jnp

from genjax.losses.reconstruction import bce, mse

REDUCTIONS = ("mean", "sum")
"""Scale of a bound: "sum" is nats per example; "mean" divides this, including the KL, by the size of an example."""


def gaussian_kl(mean, logvar):
    """KL(N(mean, exp logvar) || N(0, 1)) of each latent. Shapes: [..., D], [..., D] -> [..., D].

    Source: arXiv:1312.6114, appendix B.
    """
    return (jnp.square(mean) + jnp.expm1(logvar) - logvar) / 2


def log_normal(z, mean=0.0, logvar=0.0):
    """Log-density of z under N(mean, exp logvar), summed over latents. Shapes: [..., D] -> [...]."""
    deviation = jnp.square(z - mean) * jnp.exp(-logvar)
    return -jnp.sum(deviation + logvar + math.log(2 * math.pi), -1) / 2


def floored_kl(kl, free):
    """Sum over latents of their mean KL, at least `free` nats each; below that a latent has no gradient (free bits).

    The mean is over the batch. With `free` 0 it is the plain KL, averaged over examples.
    Source: arXiv:1606.04934, eq. 15, with one latent per group.
    Shapes: kl [B, D] -> [].
    """
    each = kl.mean(0)
    return jnp.maximum(each, free).sum() if free else each.sum()


def importance_bound(log_weights):
    """Log of the mean of K weights p(x, z) / q(z | x): a lower bound of log p(x) in expectation; the ELBO for K = 1.

    Source: arXiv:1509.00519, eq. 8. Shapes: [..., K] -> [...].
    """
    return jax.nn.logsumexp(log_weights, axis=-1) - math.log(log_weights.shape[-1])


def warm_up(step, steps):
    """Weight of the KL: rises linearly from 0 at the first update to 1 at update `steps`; always 1 if `steps` is 0.

    Source: arXiv:1602.02282, "Warm-up from deterministic to variational autoencoder".
    """
    return jnp.minimum(1.0, step / steps) if steps else jnp.float32(1)


def gaussian(y, x, std):
    """-log N(x; y, std^2) of each element, including the constant. Shapes: [...], [...] -> [...]."""
    return mse(y, x) / (2 * std**2) + math.log(std) + math.log(2 * math.pi) / 2


LIKELIHOODS = {"bernoulli": lambda logits, x, std: bce(logits, x), "gaussian": gaussian}
"""Name -> (output of `decode`, example, std) -> -log p(x | z) per element.

For grays between 0 and 1, "bernoulli" is customary but not a density; "gaussian" is the density of a continuous x.
"""
