"""Perceptual distance of two images, on the feature maps of a trained net. Source: arXiv:1801.03924, eq. 1."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from genjax.nets.squeezenet import SqueezeNet
from genjax.ops.resize import bilinear
from genjax.weights import squeezenet as squeezenet_weights

MAPS = ("conv1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9")
NAME = "SqueezeNet, seven maps"


def perceptual_distance(size: int = 128) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """A function of two batches of images, for `jit`: the squared difference of SqueezeNet's maps, summed over seven.

    The channels at each position are scaled to length one, and positions are averaged. Paper: channels weighted to fit
    human judgments; here: all weights are one, since the paper's are for other maps.
    Of images of other channels than gray and color it is the mean over channels, each in gray.
    Shapes: x, y [N, H, W, C], pixels from 0 to 255, not rounded -> float32 [N].
    """
    variables = jax.tree.map(jnp.asarray, squeezenet_weights.load())

    def maps(x):
        outputs = SqueezeNet().apply(variables, bilinear(x.astype(jnp.float32), (size, size))).maps
        return [outputs[name] / (jnp.linalg.norm(outputs[name], axis=-1, keepdims=True) + 1e-10) for name in MAPS]

    def distance(x, y):
        channels = x.shape[3]
        if channels not in (1, 3):
            x, y = (jnp.moveaxis(z, 3, 1).reshape(-1, *z.shape[1:3], 1) for z in (x, y))
            return distance(x, y).reshape(-1, channels).mean(1)
        with jax.default_matmul_precision("highest"):
            pairs = zip(maps(x), maps(y), strict=True)
            return sum(jnp.square(a - b).sum(-1).mean((1, 2)) for a, b in pairs)

    return distance
