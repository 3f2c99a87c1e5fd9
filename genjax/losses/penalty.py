"""Penalties on the critic's slope in its input. A critic maps [N, ...] -> [N], each logit a function of its example."""

import jax
import jax.numpy as jnp

from genjax.ops import noise


def value_and_slope(critic, x):
    """The critic's logits and each logit's gradient in its own example. Shapes: x [N, ...] -> [N], [N, ...]."""
    logits, pull = jax.vjp(critic, x)
    return logits, pull(jnp.ones_like(logits))[0]


def gradient_penalty(critic, real, fake, key):
    """Mean squared deviation of the critic's slope from one, on random interpolates.

    Shapes: real, fake [B, ...] -> scalar; one interpolation weight an example, uniform on [0, 1].
    Raises: ValueError if real and fake differ in shape.
    Source: arXiv:1704.00028, eq. 3, second term without its weight.
    """
    if real.shape != fake.shape:
        raise ValueError(f"gradient_penalty needs as many reals as fakes, of one shape: {real.shape}, {fake.shape}")
    weight = noise.uniform(key, real.shape[0]).reshape(-1, *[1] * (real.ndim - 1))
    _, slope = value_and_slope(critic, real + weight * (fake - real))
    return jnp.mean((norm(slope) - 1) ** 2)


def r1(slope):
    """Half the mean squared slope on reals. Shapes: slope [B, ...] -> scalar.

    Source: arXiv:1801.04406, eq. 9, without its weight gamma.
    """
    return jnp.mean(jnp.sum(slope**2, range(1, slope.ndim))) / 2


def norm(slope):
    """Euclidean norm of each example. Shapes: [B, ...] -> [B]. The tiny term gives sqrt a gradient at zero."""
    return jnp.sqrt(jnp.sum(slope**2, range(1, slope.ndim)) + 1e-12)
