"""The convolutional autoencoder whose latents are a vector: convolutions with strides of 2, dense layers between.

`encode`, `decode` and `heads` are as in `genjax.nets.autoencoder`.
"""

import math
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv, ConvTranspose
from genjax.ops.arrays import flatten


def sides(shape, halvings):
    """Heights and widths of an image and of `count` halvings, each rounded up."""
    return [tuple(-(-n // 2**i) for n in shape[:2]) for i in range(halvings + 1)]


def doubled(features, kernel, side, init, name):
    """A transposed convolution of stride 2 to `side`, even or odd: the transpose of the convolution that halves it.

    Raises: InputError for a kernel smaller than 2, which would leave gaps.
    """
    if kernel < 2:
        raise InputError(f"kernel={kernel}: expected at least 2, which a stride of 2 needs to reach every pixel")
    surplus = [(-(-n // 2) - 1) * 2 + kernel - n for n in side]
    pads = tuple((n // 2, n - n // 2) for n in surplus)
    return ConvTranspose(features, (kernel, kernel), (2, 2), pads, kernel_init=init, name=name)


class ConvLatent(nn.Module):
    """A convolution of stride 2 for each of `channels`, a hidden layer, latents; a dense and mirrored layers back.

    Sides are rounded up when they are halved, and restored exactly by the decoder. The defaults are the net of Keras'
    "Variational AutoEncoder" example.
    Shapes: x [B, H, W, C] -> latents [B, heads * latent]; z [B, latent] -> [B, H, W, C] before `output`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (32, 64)
    width: int = 16
    latent: int = 2
    kernel: int = 3
    activation: str = "relu"
    latents: str = "linear"
    output: str = "sigmoid"
    heads: int = 1
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {
        "activation": ACTIVATIONS,
        "latents": ACTIVATIONS,
        "output": ACTIVATIONS,
        "kernel_init": INITIALIZERS,
    }

    def setup(self):
        """Create the layers."""
        init, up = INITIALIZERS[self.kernel_init], sides(self.shape, len(self.channels))[::-1]
        square = (self.kernel, self.kernel)
        self.down = [
            Conv(width, square, (2, 2), kernel_init=init, name=f"encoder_{i}") for i, width in enumerate(self.channels)
        ]
        self.hidden = nn.Dense(self.width, kernel_init=init, name="encoder_dense")
        self.head = nn.Dense(self.heads * self.latent, kernel_init=init, name="encoder_codings")
        self.smallest = (*up[0], self.channels[-1])
        self.first = nn.Dense(math.prod(self.smallest), kernel_init=init, name="decoder_dense")
        self.layers = [
            doubled(width, self.kernel, side, init, f"decoder_{i}")
            for i, (width, side) in enumerate(zip(self.channels[::-1], up[1:], strict=True))
        ]
        last = f"decoder_{len(self.channels)}"
        self.last = ConvTranspose(self.shape[2], square, kernel_init=init, name=last)

    def encode(self, x, train: bool = False):
        """Latents of images x."""
        act = ACTIVATIONS[self.activation]
        for layer in self.down:
            x = act(layer(x))
        return ACTIVATIONS[self.latents](self.head(act(self.hidden(flatten(x)))))

    def decode(self, z, train: bool = False):
        """Images of latents z, before the output's activation."""
        act = ACTIVATIONS[self.activation]
        x = jnp.reshape(act(self.first(z)), (-1, *self.smallest))
        for layer in self.layers:
            x = act(layer(x))
        return self.last(x)

    def __call__(self, x, train: bool = False):
        """Reconstructions of images x, before the output's activation."""
        return self.decode(self.encode(x, train), train)
