"""Defense-GAN: a classifier is given the generator's nearest image in place of an image that may have been attacked.

Source: arXiv:1805.06605, section 3.2 and algorithm in figure 1: `steps` (L) steps of descent on the squared distance
from `restarts` (R) latents, of which the nearest counts. Paper: L = 200, R = 10, momentum; here: Adam.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class Projected(NamedTuple):
    """The generator's nearest images, and their mean squared distances from the given ones."""

    images: jax.Array  # [B, ...]
    errors: jax.Array  # [B]


def project(generate: Callable, x, start, steps: int, rate: float = 0.05) -> Projected:
    """The nearest images to x that descent finds from each image's own latents.

    Shapes: x [B, ...], start [B, restarts, latent]; generate maps [N, latent] to [N, ...].
    """
    tx = optax.adam(rate)
    batch, restarts = start.shape[:2]

    def errors(z):
        y = generate(z.reshape(batch * restarts, -1)).reshape(batch, restarts, *x.shape[1:])
        return jnp.square(y - x[:, None]).mean(tuple(range(2, y.ndim)))

    def descend(_, carry):
        z, opt = carry
        updates, opt = tx.update(jax.grad(lambda z: errors(z).sum())(z), opt, z)
        return optax.apply_updates(z, updates), opt

    z, _ = jax.lax.fori_loop(0, steps, descend, (start, tx.init(start)))
    last = errors(z)
    best = last.argmin(1)
    return Projected(generate(z[jnp.arange(batch), best]), last.min(1))
