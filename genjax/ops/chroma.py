"""An image's light apart from its colors, and the colors of one image for another.

Pixels are in any range with equal units in the three channels. Source: arXiv:1606.05897.
"""

import jax.numpy as jnp

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue, as in the YIQ space of television (ITU-R BT.601)."""


def luma(x):
    """How light each pixel is. Shapes: [..., 3] -> [..., 1]."""
    return sum(weight * x[..., i : i + 1] for i, weight in enumerate(LUMA))


def with_luma(x, light):
    """x, as light as is asked for: what is apart from luma, its I and Q, stays. Shapes: [..., 3], [..., 1] -> [..., 3].

    Source: section 3.2.
    """
    return x + (light - luma(x))


def match_luma(x, like):
    """The luma of x, with the mean and the deviation of another image's. Shapes: [..., 3] twice -> [..., 1].

    Source: eq. 7.
    """
    x, like = luma(x), luma(like)
    return (x - x.mean()) * (like.std() / jnp.maximum(x.std(), 1e-6)) + like.mean()


def match_colors(x, like):
    """x with the mean and the covariance of another image's colors, by the symmetric root of each covariance.

    Shapes: [..., 3] twice -> [..., 3]. Source: eqs. 1 to 3, "image analogies" color matching.
    """
    (mean, root, _), (_, _, inverse) = _spread(like), _spread(x)
    own = x.reshape(-1, 3).mean(0)
    return (x - own) @ inverse @ root + mean


def _spread(x):
    """Mean of colors, symmetric root of their covariance, and its inverse."""
    x = x.reshape(-1, 3)
    mean = x.mean(0)
    variances, axes = jnp.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    deviations = jnp.sqrt(jnp.maximum(variances, 1e-6 * jnp.maximum(variances[-1], 1e-6)))
    return mean, (axes * deviations) @ axes.T, (axes / deviations) @ axes.T
