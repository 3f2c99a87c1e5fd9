"""How far an image is from the style of one and from the content of another, as a trained net's maps tell.

None depends on how many positions a map has, so weights hold at every resolution.
"""

import jax.numpy as jnp

from genjax.ops.moments import moments


def gram(x, mask=None):
    """How often each two channels are large at the same place: products of channels, averaged over positions.

    Of a masked map, over the places of the mask, each by its square. Paper: sums; here: means, so that maps of any
    size compare. Shapes: x [B, H, W, C], mask [H, W] from 0 to 1 -> [B, C, C].
    Source: arXiv:1508.06576, eq. 3; with masks arXiv:1611.07865, eqs. 4 to 6.
    """
    guide = jnp.ones(x.shape[1:3]) if mask is None else mask
    guided = (x * guide[:, :, None]).reshape(len(x), -1, x.shape[3])
    return jnp.einsum("bpi,bpj->bij", guided, guided) / jnp.maximum(jnp.square(guide).sum(), 1e-6)


def style(found, wanted):
    """A quarter of the mean squared difference of two Gram matrices.

    With means for sums in `gram` it is the paper's, for every size. Shapes: [..., C, C] twice -> [].
    Source: arXiv:1508.06576, eq. 4.
    """
    return jnp.square(found - wanted).mean() / 4


def content(found, wanted):
    """Half the mean squared difference of two maps. Paper: the sum; here: the mean, for every size.

    Shapes: [B, H, W, C] twice -> []. Source: arXiv:1508.06576, eq. 1.
    """
    return jnp.square(found - wanted).mean() / 2


def statistics(x, y):
    """The mean squared difference of channels' means, and that of their deviations, added.

    Paper: norms; here: mean squares, as in its code. Shapes: [B, H, W, C], [B, h, w, C] -> [].
    Source: arXiv:1703.06868, eq. 13, one of its layers.
    """
    pairs = zip(moments(x), moments(y), strict=True)
    return sum(jnp.square(a - b).mean() for a, b in pairs)


def total_variation(x):
    """The mean squared difference of neighbors, down and across. Shapes: [B, H, W, C] -> [].

    Source: arXiv:1412.0035, section 3, with beta = 2, as a mean.
    """
    return jnp.square(jnp.diff(x, axis=1)).mean() + jnp.square(jnp.diff(x, axis=2)).mean()
