"""What critic and generator minimise, as functions of the critic's logits.

Shapes: real, fake [B] logits -> scalar. Numbers are natural logarithms' (nats).
"""

from typing import NamedTuple

import jax.numpy as jnp
from flax.linen import softplus


class Adversarial(NamedTuple):
    """The two sides of a game."""

    critic: callable  # (real, fake) -> scalar
    generator: callable  # (fake) -> scalar


def bce_critic(real, fake):
    """Binary cross-entropy of the labels 1 for reals and 0 for fakes, a mean over all 2B examples.

    Source: arXiv:1406.2661, eq. 1, negated and halved: -1/2 (E log D(x) + E log(1 - D(G(z)))), D = sigmoid(logit).
    """
    return (jnp.mean(softplus(-real)) + jnp.mean(softplus(fake))) / 2


def bce_generator(fake):
    """Binary cross-entropy of the label 1 for fakes: the non-saturating loss -E log D(G(z)).

    Source: arXiv:1406.2661, section 3.
    """
    return jnp.mean(softplus(-fake))


def wasserstein_critic(real, fake):
    """Negated estimate of the earth mover's distance, E D(G(z)) - E D(x). Source: arXiv:1701.07875, eq. 2."""
    return jnp.mean(fake) - jnp.mean(real)


def wasserstein_generator(fake):
    """-E D(G(z)). Source: arXiv:1701.07875, eq. 2."""
    return -jnp.mean(fake)


LOSSES = {
    "bce": Adversarial(bce_critic, bce_generator),
    "wasserstein": Adversarial(wasserstein_critic, wasserstein_generator),
}
