"""Adversarial losses of the critic (discriminator) and of the generator, as functions of the critic's logits.

Logarithms are natural, so losses are in nats. `target` is the label of reals, below 1 with one-sided smoothing
(arXiv:1606.03498, section 3.4). Only relativistic losses of the generator depend on the logits of reals.
Shapes: real, fake [B] logits -> scalar.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.nn import relu, softplus

from genjax.errors import InputError


class Adversarial(NamedTuple):
    """A loss of the critic and one of the generator.

    Fields:
        critic: (real, fake) -> scalar; with a keyword `target` if `labels`.
        generator: (real, fake) -> scalar.
        labels: True if reals have a label, which can be smoothed.
        floor: True if the critic's loss is never negative.
        share: the critic's loss as a share of that of its source. Weights in configs, of penalties, the drift and the
            class loss, are the sources': they are multiplied by it.
    """

    critic: Callable
    generator: Callable
    labels: bool = False
    floor: bool = True
    share: float = 1.0


def check(loss: Any) -> None:
    """Raises: InputError for an object that is no loss."""
    if not isinstance(loss, Adversarial):
        raise InputError(f"expected a genjax.losses.adversarial.Adversarial, but it is {loss!r}")


def cross_entropy_critic(real, fake, target=1.0):
    """Binary cross-entropy of the labels `target` for reals and 0 for fakes, a mean over all 2B examples.

    Source: arXiv:1406.2661, eq. 1, negated and halved: -1/2 (E log D(x) + E log(1 - D(G(z)))), D = sigmoid(logit). So
    its `Adversarial.share` is a half.
    """
    return (jnp.mean(softplus(-real) + (1 - target) * real) + jnp.mean(softplus(fake))) / 2


def minimax_generator(real, fake):
    """E log(1 - D(G(z))), whose gradient vanishes where the critic is confident. Source: arXiv:1406.2661, eq. 1."""
    return -jnp.mean(softplus(fake))


def non_saturating_generator(real, fake):
    """-E log D(G(z)), the cross-entropy of the label 1 for fakes. Source: arXiv:1406.2661, section 3."""
    return jnp.mean(softplus(-fake))


def wasserstein_critic(real, fake):
    """Negated estimate of the earth mover's distance, E D(G(z)) - E D(x). Source: arXiv:1701.07875, eq. 2."""
    return jnp.mean(fake) - jnp.mean(real)


def wasserstein_generator(real, fake):
    """-E D(G(z)); also for the hinge loss. Source: arXiv:1701.07875, eq. 2."""
    return -jnp.mean(fake)


def hinge_critic(real, fake):
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))). Source: arXiv:1802.05957, eq. 16."""
    return jnp.mean(relu(1 - real)) + jnp.mean(relu(1 + fake))


def least_squares_critic(real, fake, target=1.0):
    """1/2 E (D(x) - target)^2 + 1/2 E D(G(z))^2. Source: arXiv:1611.04076, eq. 9."""
    return (jnp.mean((real - target) ** 2) + jnp.mean(fake**2)) / 2


def least_squares_generator(real, fake):
    """1/2 E (D(G(z)) - 1)^2. Source: arXiv:1611.04076, eq. 9."""
    return jnp.mean((fake - 1) ** 2) / 2


def relativistic_average_critic(real, fake):
    """-E log sigmoid(C(x) - E C(G(z))) - E log(1 - sigmoid(C(G(z)) - E C(x))). Source: arXiv:1807.00734, eq. 14."""
    return jnp.mean(softplus(fake.mean() - real)) + jnp.mean(softplus(fake - real.mean()))


def relativistic_average_generator(real, fake):
    """The critic's loss with reals and fakes exchanged. Source: arXiv:1807.00734, eq. 15."""
    return relativistic_average_critic(fake, real)


def relativistic_hinge_critic(real, fake):
    """E max(0, 1 - (C(x) - E C(G(z)))) + E max(0, 1 + C(G(z)) - E C(x)). Source: arXiv:1807.00734, appendix D."""
    return hinge_critic(real - fake.mean(), fake - real.mean())


def relativistic_hinge_generator(real, fake):
    """The critic's loss with reals and fakes exchanged. Source: arXiv:1807.00734, appendix D."""
    return relativistic_hinge_critic(fake, real)


LOSSES = {
    "minimax": Adversarial(cross_entropy_critic, minimax_generator, labels=True, share=0.5),
    "non_saturating": Adversarial(cross_entropy_critic, non_saturating_generator, labels=True, share=0.5),
    "wasserstein": Adversarial(wasserstein_critic, wasserstein_generator, floor=False),
    "hinge": Adversarial(hinge_critic, wasserstein_generator),
    "least_squares": Adversarial(least_squares_critic, least_squares_generator, labels=True),
    "relativistic_average": Adversarial(relativistic_average_critic, relativistic_average_generator),
    "relativistic_hinge": Adversarial(relativistic_hinge_critic, relativistic_hinge_generator),
}
