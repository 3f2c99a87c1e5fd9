"""SqueezeNet v1.1: a small ImageNet classifier whose maps judge pictures.

Source: arXiv:1602.07360; version 1.1 of its authors' code has the strides and widths below.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import Conv
from genjax.ops.pool import overlapping_max_pool

MEAN = (104.006, 116.669, 122.679)
"""Of ImageNet's blue, green and red, as the published weights expect it."""

SMALLEST = 17
"""Sides below leave nothing for the last pooling."""

STAGES = {  # pool -> the fire modules after it: name -> widths of (squeeze, each expand)
    "pool1": {"fire2": (16, 64), "fire3": (16, 64)},
    "pool3": {"fire4": (32, 128), "fire5": (32, 128)},
    "pool5": {"fire6": (48, 192), "fire7": (48, 192), "fire8": (64, 256), "fire9": (64, 256)},
}


class Outputs(NamedTuple):
    """What the net makes of pictures. XLA leaves out what is not used."""

    features: jax.Array  # [B, 512], the mean of fire9 over positions
    logits: jax.Array  # [B, 1000], of ImageNet's classes
    maps: dict[str, jax.Array]  # "conv1", "pool1", "fire2", ..., "fire9", "conv10": [B, h, w, C], after their ReLU


class SqueezeNet(nn.Module):
    """Pictures to features, logits and every map between.

    Shapes: x [B, H, W, 3], red, green and blue from 0 to 255, H and W at least SMALLEST -> Outputs.
    """

    @nn.compact
    def __call__(self, x):
        """Look at pictures x. Raises: InputError if they are too small for the three poolings."""
        if min(x.shape[1:3]) < SMALLEST:
            raise InputError(f"SqueezeNet needs pictures of {SMALLEST} x {SMALLEST} or more, got {list(x.shape[1:3])}")
        x = x[..., ::-1] - jnp.array(MEAN, x.dtype)
        x = nn.relu(Conv(64, (3, 3), (2, 2), padding="VALID", name="conv1")(x))
        maps = {"conv1": x}
        for pool, fires in STAGES.items():
            x = maps[pool] = overlapping_max_pool(x, size=3, stride=2)
            for name, widths in fires.items():
                x = maps[name] = Fire(*widths, name=name)(x)
        features = x.mean((1, 2))
        x = maps["conv10"] = nn.relu(Conv(1000, (1, 1), name="conv10")(x))
        return Outputs(features, x.mean((1, 2)), maps)


class Fire(nn.Module):
    """Few channels by 1x1 convolution, then many by 1x1 and 3x3, side by side.

    Shapes: [B, H, W, C] -> [B, H, W, 2 * expand]. Source: arXiv:1602.07360, section 3.2.
    """

    squeeze: int
    expand: int

    @nn.compact
    def __call__(self, x):
        """Apply the module to maps x."""
        x = nn.relu(Conv(self.squeeze, (1, 1), name="squeeze1x1")(x))
        sizes = {"expand1x1": (1, 1), "expand3x3": (3, 3)}
        return nn.relu(jnp.concatenate([Conv(self.expand, size, name=name)(x) for name, size in sizes.items()], -1))
