"""Perceptual distance of two images, on the feature maps of a trained net. Source: arXiv:1801.03924, eq. 1."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from genjax.nets.squeezenet import map_distance
from genjax.weights import squeezenet as squeezenet_weights

NAME = "SqueezeNet, seven maps"


def perceptual_distance(size: int = 128) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """A function of two batches of images, for `jit`: `genjax.nets.squeezenet.map_distance` of the packaged weights.

    Shapes: x, y [N, H, W, C], pixels from 0 to 255, not rounded -> float32 [N].
    """
    return map_distance(jax.tree.map(jnp.asarray, squeezenet_weights.load()), size)
