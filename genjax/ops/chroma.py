"""Luma and color of images: separating them, and matching one image's statistics to another's.

Pixels are in any range with equal units in the three channels. Source: arXiv:1606.05897.
"""

import jax.numpy as jnp

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma, as in the YIQ space of television (ITU-R BT.601)."""


def luma(x):
    """The luma of each pixel. Shapes: [..., 3] -> [..., 1]."""
    return sum(weight * x[..., i : i + 1] for i, weight in enumerate(LUMA))


def with_luma(x, light):
    """x with another luma; its chroma (I and Q of YIQ) stays. Shapes: [..., 3], [..., 1] -> [..., 3].

    Source: section 3.2.
    """
    return x + (light - luma(x))


def match_luma(x, like):
    """The luma of x with the mean and standard deviation of the luma of `like`. Shapes: [..., 3] twice -> [..., 1].

    Source: eq. 7.
    """
    x = luma(x)
    like = luma(like)
    return (x - x.mean()) * (like.std() / jnp.maximum(x.std(), 1e-6)) + like.mean()


def match_colors(x, like):
    """x with the mean and covariance of the colors of `like`, by the symmetric root of each covariance.

    Shapes: [..., 3] twice -> [..., 3]. Source: eqs. 1 to 3, "image analogies" color matching.
    """
    mean, root, _ = _color_statistics(like)
    own_mean, _, own_inverse = _color_statistics(x)
    return (x - own_mean) @ own_inverse @ root + mean


def _color_statistics(x):
    """The mean of colors, the symmetric root of their covariance, and the inverse of that root."""
    x = x.reshape(-1, 3)
    mean = x.mean(0)
    variances, axes = jnp.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    deviations = jnp.sqrt(jnp.maximum(variances, 1e-6 * jnp.maximum(variances[-1], 1e-6)))
    return mean, (axes * deviations) @ axes.T, (axes / deviations) @ axes.T
