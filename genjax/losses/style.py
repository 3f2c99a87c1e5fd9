"""Losses of style transfer between the feature maps of a trained net.

All are means over positions, so weights hold at every resolution.
"""

import jax.numpy as jnp

from genjax.ops.moments import moments


def gram(x, mask=None):
    """Gram matrix: products of two channels, averaged over positions.

    With a mask, an average with the squared mask as weights. Paper: sums; here: means, so that maps of different sizes
    compare. Shapes: x [B, H, W, C], mask [H, W] from 0 to 1 -> [B, C, C].
    Source: arXiv:1508.06576, eq. 3; with masks arXiv:1611.07865, eqs. 4 to 6.
    """
    guide = jnp.ones(x.shape[1:3]) if mask is None else mask
    guided = (x * guide[:, :, None]).reshape(len(x), -1, x.shape[3])
    return jnp.einsum("bpi,bpj->bij", guided, guided) / jnp.maximum(jnp.square(guide).sum(), 1e-6)


def style_loss(current, target):
    """A quarter of the mean squared difference of two Gram matrices.

    Because `gram` takes means where the paper has sums, this is the paper's value, at every size.
    Shapes: [..., C, C] twice -> []. Source: arXiv:1508.06576, eq. 4.
    """
    return jnp.square(current - target).mean() / 4


def content_loss(current, target):
    """Half the mean squared difference of two feature maps. Paper: the sum; here: the mean, at every size.

    Shapes: [B, H, W, C] twice -> []. Source: arXiv:1508.06576, eq. 1.
    """
    return jnp.square(current - target).mean() / 2


def moments_loss(x, y):
    """The mean squared difference of the channels' means, plus that of their standard deviations.

    Paper: norms; here: mean squares, as in its code. Shapes: [B, H, W, C], [B, h, w, C] -> [].
    Source: arXiv:1703.06868, eq. 13, one of its layers.
    """
    pairs = zip(moments(x), moments(y), strict=True)
    return sum(jnp.square(a - b).mean() for a, b in pairs)


def total_variation(x):
    """The mean squared difference of vertical neighbors, plus that of horizontal ones. Shapes: [B, H, W, C] -> [].

    Source: arXiv:1412.0035, section 3, with beta = 2, as a mean.
    """
    return jnp.square(jnp.diff(x, axis=1)).mean() + jnp.square(jnp.diff(x, axis=2)).mean()


def temporal_loss(x, carried, known):
    """The squared difference of a frame from the last one, moved to where things are now, where that is known.

    A mean over all pixels, known or not, as in the paper. Shapes: [H, W, C] twice, known [H, W, 1] -> [].
    Source: arXiv:1604.08610, section 4.2: the temporal consistency loss.
    """
    return (known * jnp.square(x - carried)).mean()
