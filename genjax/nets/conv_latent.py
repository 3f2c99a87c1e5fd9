"""The convolutional autoencoder whose latents are a vector: convolutions with strides of 2, dense layers between.

Fields and methods are as `genjax.nets.autoencoder` describes them.
"""

import math
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv, ConvTranspose, Dense
from genjax.ops.arrays import flatten


def sides(shape, halvings):
    """Heights and widths of an image and after each of some halvings, rounded up. Shapes: -> [halvings + 1] pairs."""
    return [tuple(-(-n // 2**i) for n in shape[:2]) for i in range(halvings + 1)]


def upsampling_conv(features, kernel, side, init, name):
    """A transposed convolution of stride 2 to maps of `side` (height, width), each even or odd.

    It is the transpose of the convolution that halves a map of that size.
    Raises: InputError for a kernel below 2, which would not reach every pixel.
    """
    if kernel < 2:
        raise InputError(f"kernel={kernel}: expected at least 2, which a stride of 2 needs to reach every pixel")
    surplus = [(-(-n // 2) - 1) * 2 + kernel - n for n in side]
    pads = tuple((n // 2, n - n // 2) for n in surplus)
    return ConvTranspose(features, (kernel, kernel), (2, 2), pads, kernel_init=init, name=name)


class ConvLatent(nn.Module):
    """A convolution of stride 2 per entry of `channels`, a hidden layer, latents; a dense layer and the same way back.

    Halving rounds sizes up; the decoder restores each of them. The defaults are the net of Keras' "Variational
    AutoEncoder" example.
    Shapes: x [B, H, W, C] -> latents [B, heads * latent]; z [B, latent] -> [B, H, W, C] before `output`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (32, 64)
    width: int = 16
    latent: int = 2
    kernel: int = 3
    activation: str = "relu"
    latent_activation: str = "linear"
    output: str = "sigmoid"
    heads: int = 1
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {
        "activation": ACTIVATIONS,
        "latent_activation": ACTIVATIONS,
        "output": ACTIVATIONS,
        "kernel_init": INITIALIZERS,
    }
    label_input: ClassVar[str] = "planes"

    def setup(self):
        """Make the layers, named as their parameters are."""
        init = INITIALIZERS[self.kernel_init]
        up = sides(self.shape, len(self.channels))[::-1]
        square = (self.kernel, self.kernel)
        self.down = [
            Conv(width, square, (2, 2), kernel_init=init, name=f"encoder_{i}") for i, width in enumerate(self.channels)
        ]
        self.hidden = Dense(self.width, kernel_init=init, name="encoder_dense")
        self.head = Dense(self.heads * self.latent, kernel_init=init, name="encoder_codings")
        self.smallest = (*up[0], self.channels[-1])
        self.first = Dense(math.prod(self.smallest), kernel_init=init, name="decoder_dense")
        self.layers = [
            upsampling_conv(width, self.kernel, side, init, f"decoder_{i}")
            for i, (width, side) in enumerate(zip(self.channels[::-1], up[1:], strict=True))
        ]
        last = f"decoder_{len(self.channels)}"
        self.last = ConvTranspose(self.shape[2], square, kernel_init=init, name=last)

    def encode(self, x, train: bool = False):
        """Latents of images x."""
        act = ACTIVATIONS[self.activation]
        for layer in self.down:
            x = act(layer(x))
        return ACTIVATIONS[self.latent_activation](self.head(act(self.hidden(flatten(x)))))

    def decode(self, z, train: bool = False):
        """Images of latents z, before the activation `output`."""
        act = ACTIVATIONS[self.activation]
        x = jnp.reshape(act(self.first(z)), (-1, *self.smallest))
        for layer in self.layers:
            x = act(layer(x))
        return self.last(x)

    def __call__(self, x, train: bool = False):
        """Outputs for the images x: `decode` of `encode`."""
        return self.decode(self.encode(x, train), train)
