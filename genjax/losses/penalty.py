"""Penalties on the gradient of the critic with respect to its input.

A critic maps [N, ...] -> [N], each logit a function of its own example. The slope is the norm of a logit's gradient. A
penalty is (critic, real, fake, key) -> scalar, without its weight. Shapes: real, fake [B, ...]. Images may be tuples of
several sizes: penalties on the slope are then means over sizes (arXiv:1903.06048), those on its square sums.

Weights in configs are those of the sources, whose critic's loss is an expectation over reals plus one over fakes.
Where a loss of ours is a share of that (`genjax.losses.adversarial.Adversarial.share`), the weights are multiplied by
the same share.
"""

import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.ops import noise


def value_and_slope(critic, x):
    """Logits, and the gradient of each with respect to its own example. Shapes: x [N, ...] -> [N], [N, ...]."""
    logits, pull = jax.vjp(critic, x)
    return logits, pull(jnp.ones_like(logits))[0]


def slope(critic, x):
    """The gradient of each logit with respect to its own example. Shapes: x [N, ...] -> [N, ...]."""
    return value_and_slope(critic, x)[1]


def norm(slope):
    """Euclidean norm of each example. Shapes: [B, ...] -> [B]. The tiny term gives sqrt a gradient at zero."""
    return jnp.sqrt(jnp.sum(slope**2, range(1, slope.ndim)) + 1e-12)


def interpolates(real, fake, key):
    """Points between reals and fakes, with one weight per example, uniform on [0, 1].

    Raises: ValueError if real and fake differ in shape.
    """
    shapes = jax.tree.map(jnp.shape, real), jax.tree.map(jnp.shape, fake)
    if shapes[0] != shapes[1]:
        raise ValueError(f"gradient_penalty needs as many reals as fakes, of one shape: {shapes[0]}, {shapes[1]}")
    weight = noise.uniform(key, len(jax.tree.leaves(real)[0]))
    return jax.tree.map(lambda x, y: x + weight.reshape(-1, *[1] * (x.ndim - 1)) * (y - x), real, fake)


def gradient_penalty(critic, real, fake, key):
    """Mean squared deviation of the critic's slope from one, on random interpolates.

    Source: arXiv:1704.00028, eq. 3, second term. Raises: ValueError if real and fake differ in shape.
    """
    slopes = jax.tree.leaves(slope(critic, interpolates(real, fake, key)))
    return sum(jnp.mean((norm(s) - 1) ** 2) for s in slopes) / len(slopes)


def one_sided(critic, real, fake, key):
    """Mean squared excess of the slope over one, on random interpolates.

    Source: arXiv:1704.00028, section 4; arXiv:1709.08894, section 3.
    """
    slopes = jax.tree.leaves(slope(critic, interpolates(real, fake, key)))
    return sum(jnp.mean(jax.nn.relu(norm(s) - 1) ** 2) for s in slopes) / len(slopes)


def dragan(critic, real, fake, key):
    """Mean squared deviation of the slope from one, on reals with normal noise.

    Source: arXiv:1705.07215, eq. 4. Paper: any scale of the noise; here: half the batch's standard deviation, as in its
    authors' code, whose noise is uniform.
    """
    noisy = real + 0.5 * real.std() * noise.normal(key, len(real), real.shape[1:])
    return jnp.mean((norm(slope(critic, noisy)) - 1) ** 2)


def r1(critic, real, fake, key):
    """Half the mean squared slope on reals. Source: arXiv:1801.04406, eq. 9, without its weight gamma."""
    return sum(jnp.mean(jnp.sum(s**2, range(1, s.ndim))) for s in jax.tree.leaves(slope(critic, real))) / 2


def r2(critic, real, fake, key):
    """Half the mean squared slope on fakes. Source: arXiv:1801.04406, eq. 10, without its weight gamma."""
    return r1(critic, fake, real, key)


PENALTIES = {"gradient_penalty": gradient_penalty, "one_sided": one_sided, "dragan": dragan, "r1": r1, "r2": r2}


def check(penalty: Callable) -> None:
    """Raises: InputError for an object that cannot be called as a penalty."""
    try:
        inspect.signature(penalty).bind("critic", "real", "fake", "key")
    except TypeError as error:
        raise InputError(f"expected a function (critic, real, fake, key) -> scalar, but it is {penalty!r}") from error
