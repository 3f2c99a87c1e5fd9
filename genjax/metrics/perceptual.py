"""How different two images look to a trained net. Source: arXiv:1801.03924, eq. 1."""

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

    Each position's channels are scaled to length one, and positions are averaged. Paper: channels weighted by what
    people judged; here: all alike (its w = 1), since those weights are for another set of maps' values.
    Shapes: x, y [N, H, W, 1 or 3], pixels from 0 to 255, not rounded -> float32 [N].
    """
    variables = jax.tree.map(jnp.asarray, squeezenet_weights.load())

    def maps(x):
        found = SqueezeNet().apply(variables, bilinear(x.astype(jnp.float32), (size, size))).maps
        return [found[name] / (jnp.linalg.norm(found[name], axis=-1, keepdims=True) + 1e-10) for name in MAPS]

    def distance(x, y):
        with jax.default_matmul_precision("highest"):
            pairs = zip(maps(x), maps(y), strict=True)
            return sum(jnp.square(a - b).sum(-1).mean((1, 2)) for a, b in pairs)

    return distance
