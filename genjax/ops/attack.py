"""Attacks on classifiers: images that raise a loss, at most `epsilon` from given ones in each pixel, from 0 to 1.

An attack takes the loss as a function of images: x [B, ...] -> [B], an example's loss of its own image alone.
"""

import jax
import jax.numpy as jnp

from genjax.ops import noise


def nearest(x, center, epsilon):
    """The nearest images to x that are allowed: within `epsilon` of `center` in each pixel, and from 0 to 1.

    This is the projection, in any norm that is a sum or a maximum over pixels, since what is allowed is a box.
    Shapes: x, center [B, ...] -> the same.
    """
    return jnp.clip(x, jnp.maximum(center - epsilon, 0), jnp.minimum(center + epsilon, 1))


def fgsm(loss, x, epsilon):
    """The fast gradient sign method: one step of `epsilon` by the sign of the gradient.

    Source: arXiv:1412.6572, section 4. It is the best step for a loss that is linear in x.
    Shapes: x [B, ...] in [0, 1] -> the same.
    """
    return nearest(x + epsilon * _direction(loss, x), x, epsilon)


def pgd(loss, x, epsilon, step, steps, start):
    """Projected gradient descent: `steps` steps of `step` by the sign of the gradient from `start`, each projected.

    Source: arXiv:1706.06083, section 2.1.
    Shapes: x, start [B, ...] in [0, 1] -> the same.
    """

    def ascend(_, moved):
        return nearest(moved + step * _direction(loss, moved), x, epsilon)

    return jax.lax.fori_loop(0, steps, ascend, nearest(start, x, epsilon))


def random_start(key, x, epsilon):
    """Images drawn uniformly within `epsilon` of x, each by its own key; not clipped. Shapes: x [B, ...], kept."""
    return x + epsilon * (2 * noise.uniform(key, len(x), x.shape[1:]) - 1)


def _direction(loss, x):
    return jnp.sign(jax.grad(lambda x: loss(x).sum())(x))
