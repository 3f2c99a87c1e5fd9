"""An adversarial loss and a penalty: Pearson's divergence, and the squared slope between reals and fakes."""

import jax.numpy as jnp

from genjax.losses.adversarial import Adversarial
from genjax.losses.penalty import interpolates, slope


def pearson_critic(real, fake):
    """Negated lower bound of Pearson's chi-squared divergence, E (T^2 / 4 + T)(fake) - E T(real).

    Shapes: logits [B], [B] -> []. Source: arXiv:1606.00709, table 6, f*(t) = t^2 / 4 + t.
    """
    return jnp.mean(fake**2 / 4 + fake) - jnp.mean(real)


def pearson_generator(real, fake):
    """The part of that bound which depends on the generator, -E (T^2 / 4 + T)(fake).

    Source: arXiv:1606.00709, eq. 4.
    """
    return -jnp.mean(fake**2 / 4 + fake)


pearson = Adversarial(pearson_critic, pearson_generator, floor=False)


def zero_centered(critic, real, fake, key):
    """Mean squared slope of the critic between reals and fakes. Shapes: [B, ...], [B, ...] -> [].

    Source: arXiv:1902.03984, section 4, "zero-centered gradient penalty".
    """
    slopes = slope(critic, interpolates(real, fake, key))
    return jnp.mean(jnp.sum(slopes**2, range(1, slopes.ndim)))
