"""Inception v3 as used by the Fréchet Inception distance: TensorFlow's graph of 2015-12-05, which is not torchvision's.

That graph excludes the padding from average pooling, has max pooling in a branch of its last block, and 1008 logits.
Its batch normalization, a fixed affine map, is folded into the convolutions when weights are read (genjax.weights).
Source: arXiv:1512.00567 for the blocks, arXiv:1706.08500 for their use; names are those of the common PyTorch file.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.nets.layers import Conv
from genjax.ops.pool import mean_pool, overlapping_max_pool
from genjax.ops.resize import bilinear_tf1

SIZE = 299
ROW, COLUMN = (1, 7), (7, 1)


class Outputs(NamedTuple):
    """Outputs of the net. XLA does not compute outputs that are not used."""

    features: jax.Array  # [B, 2048], the last block's mean over positions: "pool3"
    logits: jax.Array  # [B, 1008]
    probabilities: jax.Array  # [B, 1008], of the logits without bias, as in the Inception score's original code


class Inception(nn.Module):
    """Images of any size to features, logits and probabilities.

    Shapes: x [B, H, W, 3], red, green and blue from 0 to 255 -> Outputs.
    """

    @nn.compact
    def __call__(self, x):
        """Outputs for images x, which are resized to 299 x 299 as in TensorFlow 1 and scaled to [-1, 1)."""
        x = (bilinear_tf1(x, (SIZE, SIZE)) - 128) / 128
        x = conv(x, "Conv2d_1a_3x3", 32, (3, 3), stride=2, padding="VALID")
        x = conv(x, "Conv2d_2a_3x3", 32, (3, 3), padding="VALID")
        x = conv(x, "Conv2d_2b_3x3", 64, (3, 3))
        x = overlapping_max_pool(x)
        x = conv(x, "Conv2d_3b_1x1", 80)
        x = conv(x, "Conv2d_4a_3x3", 192, (3, 3), padding="VALID")
        x = overlapping_max_pool(x)
        for name, width in {"Mixed_5b": 32, "Mixed_5c": 64, "Mixed_5d": 64}.items():
            x = Block35(width, name=name)(x)
        x = From35To17(name="Mixed_6a")(x)
        for name, width in {"Mixed_6b": 128, "Mixed_6c": 160, "Mixed_6d": 160, "Mixed_6e": 192}.items():
            x = Block17(width, name=name)(x)
        x = From17To8(name="Mixed_7a")(x)
        x = Block8(name="Mixed_7b")(x)
        x = Block8(last=True, name="Mixed_7c")(x)
        features = x.mean((1, 2))
        kernel = self.param("fc_kernel", nn.initializers.glorot_uniform(), (2048, 1008))
        bias = self.param("fc_bias", nn.initializers.zeros, (1008,))
        plain = features @ kernel
        return Outputs(features, plain + bias, nn.softmax(plain))


class Block35(nn.Module):
    """Branches of 1x1, 5x5 and two 3x3 at 35 x 35. Shapes: [B, 35, 35, C] -> [B, 35, 35, 224 + pool]."""

    pool: int

    @nn.compact
    def __call__(self, x):
        """Apply the block to maps x."""
        one = conv(x, "branch1x1", 64)
        five = conv(x, "branch5x5_1", 48)
        five = conv(five, "branch5x5_2", 64, (5, 5))
        double = conv(x, "branch3x3dbl_1", 64)
        double = conv(double, "branch3x3dbl_2", 96, (3, 3))
        double = conv(double, "branch3x3dbl_3", 96, (3, 3))
        pooled = conv(mean_pool(x), "branch_pool", self.pool)
        return concat_channels(one, five, double, pooled)


class From35To17(nn.Module):
    """Half the size. Shapes: [B, 35, 35, C] -> [B, 17, 17, 480 + C]."""

    @nn.compact
    def __call__(self, x):
        """Apply the block to maps x."""
        three = conv(x, "branch3x3", 384, (3, 3), stride=2, padding="VALID")
        double = conv(x, "branch3x3dbl_1", 64)
        double = conv(double, "branch3x3dbl_2", 96, (3, 3))
        double = conv(double, "branch3x3dbl_3", 96, (3, 3), stride=2, padding="VALID")
        return concat_channels(three, double, overlapping_max_pool(x))


class Block17(nn.Module):
    """Branches of 1x1, 7x7 and two 7x7, each factored into 1x7 and 7x1. Shapes: [B, 17, 17, 768] -> the same."""

    width: int

    @nn.compact
    def __call__(self, x):
        """Apply the block to maps x."""
        one = conv(x, "branch1x1", 192)
        seven = conv(x, "branch7x7_1", self.width)
        seven = conv(seven, "branch7x7_2", self.width, ROW)
        seven = conv(seven, "branch7x7_3", 192, COLUMN)
        double = conv(x, "branch7x7dbl_1", self.width)
        double = conv(double, "branch7x7dbl_2", self.width, COLUMN)
        double = conv(double, "branch7x7dbl_3", self.width, ROW)
        double = conv(double, "branch7x7dbl_4", self.width, COLUMN)
        double = conv(double, "branch7x7dbl_5", 192, ROW)
        pooled = conv(mean_pool(x), "branch_pool", 192)
        return concat_channels(one, seven, double, pooled)


class From17To8(nn.Module):
    """Half the size. Shapes: [B, 17, 17, C] -> [B, 8, 8, 512 + C]."""

    @nn.compact
    def __call__(self, x):
        """Apply the block to maps x."""
        three = conv(x, "branch3x3_1", 192)
        three = conv(three, "branch3x3_2", 320, (3, 3), stride=2, padding="VALID")
        seven = conv(x, "branch7x7x3_1", 192)
        seven = conv(seven, "branch7x7x3_2", 192, ROW)
        seven = conv(seven, "branch7x7x3_3", 192, COLUMN)
        seven = conv(seven, "branch7x7x3_4", 192, (3, 3), stride=2, padding="VALID")
        return concat_channels(three, seven, overlapping_max_pool(x))


class Block8(nn.Module):
    """Branches that end in a 1x3 and a 3x1 in parallel. Shapes: [B, 8, 8, C] -> [B, 8, 8, 2048]."""

    last: bool = False

    @nn.compact
    def __call__(self, x):
        """Apply the block to maps x."""
        one = conv(x, "branch1x1", 320)
        three = conv(x, "branch3x3_1", 384)
        three = concat_channels(conv(three, "branch3x3_2a", 384, (1, 3)), conv(three, "branch3x3_2b", 384, (3, 1)))
        double = conv(x, "branch3x3dbl_1", 448)
        double = conv(double, "branch3x3dbl_2", 384, (3, 3))
        double = concat_channels(
            conv(double, "branch3x3dbl_3a", 384, (1, 3)), conv(double, "branch3x3dbl_3b", 384, (3, 1))
        )
        # Paper: average pooling in both blocks of this size; here: max pooling in the last, as in the graph.
        pooled = overlapping_max_pool(x, size=3, stride=1, edge=1) if self.last else mean_pool(x)
        return concat_channels(one, three, double, conv(pooled, "branch_pool", 192))


def conv(x, name, width, kernel=(1, 1), stride=1, padding="SAME"):
    """Convolution and ReLU. Call inside a compact method."""
    return nn.relu(Conv(width, kernel, (stride, stride), padding=padding, name=name)(x))


def concat_channels(*branches):
    """Concatenate maps of one size along their channels."""
    return jnp.concatenate(branches, axis=-1)
