"""SqueezeNet v1.1: a small ImageNet classifier, whose maps are features for metrics and style transfer.

Source: arXiv:1602.07360; version 1.1 of its authors' code has the strides and widths below.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import INITIALIZERS, Conv
from genjax.ops import conv as ops
from genjax.ops.pool import overlapping_max_pool
from genjax.ops.resize import bilinear

MEAN = (104.006, 116.669, 122.679)
"""Mean blue, green and red of ImageNet, which the published weights expect to be subtracted."""

MAPS = ("conv1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9")
"""Maps of which a perceptual distance is the sum."""

SMALLEST = 17
"""Smallest side: below it the last pooling would have no input."""

STAGES = {  # pool -> the fire modules after it: name -> widths of (squeeze, each expand)
    "pool1": {"fire2": (16, 64), "fire3": (16, 64)},
    "pool3": {"fire4": (32, 128), "fire5": (32, 128)},
    "pool5": {"fire6": (48, 192), "fire7": (48, 192), "fire8": (64, 256), "fire9": (64, 256)},
}


class Outputs(NamedTuple):
    """Outputs of the net. XLA does not compute outputs that are not used."""

    features: jax.Array  # [B, 512], the mean of fire9 over positions
    logits: jax.Array  # [B, 1000], of ImageNet's classes
    maps: dict[str, jax.Array]  # "conv1", "pool1", "fire2", ..., "fire9", "conv10": [B, h, w, C], after their ReLU


class SqueezeNet(nn.Module):
    """Images to features, logits and every map between.

    Shapes: x [B, H, W, 3], red, green and blue from 0 to 255, or [B, H, W, 1], gray; H and W at least SMALLEST
    -> Outputs.
    """

    @nn.compact
    def __call__(self, x):
        """Outputs for images x. Raises: InputError if they are too small for the three poolings."""
        if min(x.shape[1:3]) < SMALLEST:
            raise InputError(f"SqueezeNet needs images of {SMALLEST} x {SMALLEST} or more, got {list(x.shape[1:3])}")
        x = nn.relu(First(name="conv1")(x))
        maps = {"conv1": x}
        for pool, fires in STAGES.items():
            x = maps[pool] = overlapping_max_pool(x, size=3, stride=2)
            for name, widths in fires.items():
                x = maps[name] = Fire(*widths, name=name)(x)
        features = x.mean((1, 2))
        x = maps["conv10"] = nn.relu(Conv(1000, (1, 1), name="conv10")(x))
        return Outputs(features, x.mean((1, 2)), maps)


class First(nn.Module):
    """Subtraction of the mean and a convolution: [B, H, W, 1 or 3] -> [B, ceil(H / 2) - 1, ceil(W / 2) - 1, 64].

    A gray image has three equal channels, so the kernel is summed over them first: a third of the products.
    """

    @nn.compact
    def __call__(self, x):
        """Apply the layer to images x, red, green and blue or gray."""
        w = self.param("kernel", INITIALIZERS["glorot"], (3, 3, 3, 64))
        b = self.param("bias", nn.initializers.zeros, (64,))
        mean = jnp.array(MEAN, x.dtype)
        if x.shape[3] == 1:
            w, b = w.sum(2, keepdims=True), b - jnp.einsum("hwio,i->o", w, mean)
        else:
            x = x[..., ::-1] - mean
        return ops.conv(x, w, stride=(2, 2), padding="VALID") + b


class Fire(nn.Module):
    """A 1x1 convolution to few channels, then 1x1 and 3x3 convolutions to many, concatenated.

    Shapes: [B, H, W, C] -> [B, H, W, 2 * expand]. Source: arXiv:1602.07360, section 3.2.
    """

    squeeze: int
    expand: int

    @nn.compact
    def __call__(self, x):
        """Apply the module to maps x."""
        x = nn.relu(Conv(self.squeeze, (1, 1), name="squeeze1x1")(x))
        one = nn.relu(Conv(self.expand, (1, 1), name="expand1x1")(x))
        three = nn.relu(Conv(self.expand, (3, 3), name="expand3x3")(x))
        return jnp.concatenate([one, three], -1)


def map_distance(variables: Mapping[str, Any], size: int = 128) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """A function of two batches of images: the squared difference of the net's maps, summed over MAPS.

    The channels at each position are scaled to length one, and positions are averaged. Paper: channels weighted to fit
    human judgments; here: all weights are one, since the paper's are for other maps.
    Of images of other channels than gray and color it is the mean over channels, each in gray.
    Shapes: x, y [N, H, W, C], pixels from 0 to 255, not rounded -> float32 [N]. Source: arXiv:1801.03924, eq. 1.
    """

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
