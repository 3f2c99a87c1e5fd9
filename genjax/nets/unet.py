"""The U-Net that translates images: an encoder that halves the sides, and a decoder that has the encoder's maps too.

Source: arXiv:1611.07004, section 6.1.1; its networks are in the authors' models.lua. Paper: batch normalization with
the statistics of the batch, of one image, in training and in use; here: instance normalization, which is that of one
image whatever the batch is (section 3.3, "instance normalization"). A convolution before it has no bias, which it would
remove, and which Adam would move by rounding errors.
"""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv, ConvTranspose
from genjax.ops import noise
from genjax.ops.moments import moments
from genjax.ops.shared import per_example, sum_type

NORMS = ("instance", "instance_plain", "none")
"""Normalizations of maps: by image and channel, with a scale and a bias of each channel or without, or none."""


class InstanceNorm(nn.Module):
    """Each channel of an image with mean 0 and variance 1, then scaled and moved.

    The parameter is the scale less one, normal with deviation 0.02 at first, as in the authors' code.
    Shapes: [B, H, W, C], kept. Source: arXiv:1607.08022, eq. 3.
    """

    @nn.compact
    def __call__(self, x):
        """Normalize x."""
        scale = self.param("scale", INITIALIZERS["normal"], x.shape[-1:])
        bias = self.param("bias", nn.initializers.zeros, x.shape[-1:])
        y = standardized(x)
        return y + y * per_example(scale, y) + per_example(bias, y)


def standardized(x):
    """Each channel of an image with mean 0 and variance 1. Shapes: [B, H, W, C], kept."""
    dtype, x = x.dtype, x.astype(sum_type(x))
    mean, deviation = moments(x)
    return ((x - mean) / deviation).astype(dtype)


def normalized(x, norm: str):
    """x after a normalization of NORMS. Call it inside a compact method. Shapes: [B, H, W, C], kept."""
    if norm == "instance_plain":
        return standardized(x)
    return InstanceNorm()(x) if norm == "instance" else x


class Noise(nn.Module):
    """Dropout in training and in use. In training each example has a mask of its own; in use all have the same.

    So an image's translation does not depend on the others of its batch. Source: arXiv:1611.07004, section 3.2.1.
    """

    rate: float

    @nn.compact
    def __call__(self, x, train: bool):
        """Apply the layer to x; it needs a random stream "dropout". Shapes: [B, H, W, C], kept."""
        if not self.rate:
            return x
        shape = x.shape if train else (1, *x.shape[1:])
        keep = noise.bernoulli(self.make_rng("dropout"), 1 - self.rate, shape)
        return jnp.where(keep, x / (1 - self.rate), 0)


class UNet(nn.Module):
    """A U-Net: a 4x4 convolution of stride 2 per stage, and a transposed one for each on the way back.

    Fields:
        colors: channels of the outputs; the task sets it.
        channels: of the encoder's maps; an image's sides must be multiples of 2 ** len(channels).
        skips: False for a plain encoder and decoder, without the encoder's maps beside the decoder's.
        dropout: of the decoder's first `dropout_stages` maps, in training and in use: the noise of the outputs.
        norm: of all maps but the first and the smallest one of the encoder, of NORMS.
        output: "tanh" or "sigmoid", the range of pixels.

    Shapes: x [B, H, W, C] -> [B, H, W, colors]. Random numbers are of the stream "dropout".
    """

    colors: int
    channels: tuple[int, ...] = (64, 128, 256, 512, 512, 512, 512, 512)
    skips: bool = True
    dropout: float = 0.5
    dropout_stages: int = 3
    norm: str = "instance"
    output: str = "tanh"
    kernel_init: str = "normal"

    CHOICES: ClassVar = {"norm": NORMS, "output": ("tanh", "sigmoid"), "kernel_init": INITIALIZERS}

    @property
    def multiple(self) -> int:
        """The least side of an image; others are its multiples."""
        return 2 ** len(self.channels)

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Translations of images x."""
        layer = {"kernel_size": (4, 4), "strides": (2, 2), "kernel_init": INITIALIZERS[self.kernel_init]}
        last = len(self.channels) - 1
        maps = []
        for stage, features in enumerate(self.channels):
            x = ACTIVATIONS["leaky_relu"](x) if stage else x
            norm = self.norm if 0 < stage < last else "none"
            x = normalized(Conv(features, use_bias=norm == "none", **layer)(x), norm)
            maps.append(x)
        for stage, features in enumerate(reversed(self.channels[:-1])):
            x = ConvTranspose(features, use_bias=self.norm == "none", **layer)(nn.relu(x))
            x = normalized(x, self.norm)
            x = Noise(self.dropout if stage < self.dropout_stages else 0.0)(x, train)
            x = jnp.concatenate([x, maps[last - 1 - stage]], -1) if self.skips else x
        return ACTIVATIONS[self.output](ConvTranspose(self.colors, **layer)(nn.relu(x)))
