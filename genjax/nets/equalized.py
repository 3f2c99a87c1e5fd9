"""Layers with the equalized learning rate: weights are N(0, 1), and He's constant multiplies them at run time.

Adam's steps do not depend on the size of a gradient, so all layers learn at one relative speed.
Source: arXiv:1710.10196, section 4.1.
"""

import math

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from genjax.ops.conv import conv, upsample_conv
from genjax.ops.filtered_conv import filtered_downsample_conv
from genjax.ops.resample import downsample2x
from genjax.ops.shared import matmul, per_example

RELU_GAIN = math.sqrt(2)
"""He's gain, for layers before a (leaky) ReLU; that of linear layers is 1."""


class Dense(nn.Module):
    """A matrix product with bias, scaled by gain / sqrt(number of inputs).

    With `lr_multiplier` m its parameters learn m times as fast, because they are stored divided by m
    (arXiv:1812.04948, appendix C). `bias` is the first value of the biases, unless `use_bias` is False.
    Shapes: [B, I] -> [B, features].
    """

    features: int
    gain: float = RELU_GAIN
    lr_multiplier: float = 1.0
    bias: float = 0.0
    use_bias: bool = True

    @nn.compact
    def __call__(self, x):
        """Apply the layer to x."""
        m = self.lr_multiplier
        w = self.param("kernel", nn.initializers.normal(1 / m), (x.shape[-1], self.features))
        y = matmul(x, w * (m * self.gain / math.sqrt(x.shape[-1])))
        start = nn.initializers.constant(self.bias / m)
        return y + m * per_example(self.param("bias", start, (self.features,)), y) if self.use_bias else y


class Conv(nn.Module):
    """A convolution scaled by gain / sqrt(number of inputs).

    `upsample` repeats each pixel as 2 x 2 pixels first, in one operation. `downsample` takes the mean of each block of
    2 x 2 pixels before the bias; `smooth` instead filters the image first (`genjax.ops.filtered_conv`).
    Shapes: [B, H, W, I] -> [B, H, W, features], [B, 2H, 2W, features] with `upsample`, [B, H/2, W/2, features] with
    `downsample` or `smooth`.
    """

    features: int
    kernel: int = 3
    gain: float = RELU_GAIN
    use_bias: bool = True
    upsample: bool = False
    downsample: bool = False
    smooth: bool = False

    @nn.compact
    def __call__(self, x):
        """Apply the layer to images x."""
        size = self.kernel, self.kernel, x.shape[-1], self.features
        w = self.param("kernel", nn.initializers.normal(1.0), size) * (self.gain / math.sqrt(math.prod(size[:3])))
        convolve = upsample_conv if self.upsample else filtered_downsample_conv if self.smooth else conv
        y = convolve(x, w)
        y = downsample2x(y) if self.downsample else y
        return y + per_example(self.param("bias", nn.initializers.zeros, (self.features,)), y) if self.use_bias else y


def pixel_norm(x):
    """Each pixel's channels divided by their root mean square. Source: arXiv:1710.10196, section 4.2, epsilon 1e-8."""
    return x * lax.rsqrt(jnp.mean(x**2, -1, keepdims=True) + 1e-8)
