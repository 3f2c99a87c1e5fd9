"""The terms of variational bounds, in nats. Gaussians have diagonal covariances, given by the log of each variance."""

import math

import jax
import jax.numpy as jnp

from genjax.losses.reconstruction import bce, mse

REDUCTIONS = ("mean", "sum")
"""A bound's scale: "sum" is nats an example; "mean" divides that, KL and all, by the numbers of an example."""


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
    """Sum over latents of their mean KL, of which each has `free` nats for nothing: below, it has no gradient.

    The mean is over the batch. `free` 0 is the plain KL, an example's mean.
    Source: arXiv:1606.04934, eq. 15, each latent a group of its own.
    Shapes: kl [B, D] -> [].
    """
    each = kl.mean(0)
    return jnp.maximum(each, free).sum() if free else each.sum()


def importance_bound(log_weights):
    """Log of the mean of K weights p(x, z) / q(z | x): in expectation at most log p(x), nearer with more; K = 1: ELBO.

    Source: arXiv:1509.00519, eq. 8. Shapes: [..., K] -> [...].
    """
    return jax.nn.logsumexp(log_weights, axis=-1) - math.log(log_weights.shape[-1])


def warm_up(step, steps):
    """From 0 at the first update to 1 at update `steps` in a straight line, and 1 from there on; `steps` 0: always 1.

    Source: arXiv:1602.02282, "Warm-up from deterministic to variational autoencoder".
    """
    return jnp.minimum(1.0, step / steps) if steps else jnp.float32(1)


def gaussian(y, x, std):
    """-log N(x; y, std^2) of each number, its constant with it. Shapes: [...], [...] -> [...]."""
    return mse(y, x) / (2 * std**2) + math.log(std) + math.log(2 * math.pi) / 2


LIKELIHOODS = {"bernoulli": lambda logits, x, std: bce(logits, x), "gaussian": gaussian}
"""What `decode` gives and an example -> -log p(x | z) of each number.

Of grays between 0 and 1, "bernoulli" is the field's custom rather than a density; a Gaussian's are of a continuous x.
"""
