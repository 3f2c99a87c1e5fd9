"""Penalties on the activity of latents, so that few of them are active for each example."""

import jax.numpy as jnp
from jax.scipy.special import xlogy

from genjax.ops.arrays import flatten


def l1(z, target=None):
    """Sum of absolute latents per example, averaged over the batch. `target` is not used. Shapes: z [B, ...] -> []."""
    return jnp.abs(flatten(z)).sum(1).mean()


def kl(z, target):
    """Sum over latents of KL(target || mean activity) between Bernoulli distributions, in nats.

    The mean is over the batch; latents are in [0, 1], as after a sigmoid.
    Source: Ng, CS294A lecture notes (2011), "Sparse autoencoder", section 3.
    Shapes: z [B, ...] -> [].
    """
    mean = jnp.clip(flatten(z).mean(0), 1e-7, 1 - 1e-7)
    return (xlogy(target, target / mean) + xlogy(1 - target, (1 - target) / (1 - mean))).sum()


PENALTIES = {"none": None, "l1": l1, "kl": kl}
"""(z, target) -> penalty, a scalar."""
