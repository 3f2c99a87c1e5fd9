"""The convolutional autoencoder of VQ-VAE: strided convolutions and residual blocks to a map of latents, and back.

As `genjax.nets.autoencoder` describes it; the latents are a map.
"""

from typing import ClassVar

import flax.linen as nn

from genjax.errors import InputError
from genjax.nets.conv_latent import sides, upsampling_conv
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv


class Residual(nn.Module):
    """x + (activation, 3x3 convolution, activation, 1x1 convolution). Shapes: [B, H, W, C], kept."""

    width: int
    activation: str = "relu"
    kernel_init: str = "glorot"

    @nn.compact
    def __call__(self, x):
        """Apply the block to maps x."""
        act = ACTIVATIONS[self.activation]
        init = INITIALIZERS[self.kernel_init]
        inner = Conv(self.width, (3, 3), kernel_init=init)(act(x))
        return x + Conv(x.shape[-1], (1, 1), kernel_init=init)(act(inner))


class ResidualAutoencoder(nn.Module):
    """A convolution of stride 2 per entry of `channels`, then `blocks` residual blocks; and the same way back.

    A 1x1 convolution leads to latents of `latent` numbers, and a 3x3 one from them. Halving rounds sizes up; the
    decoder restores each of them.
    Source: arXiv:1711.00937, section 4.1. Paper: 256 channels; here: fewer.
    Shapes: x [B, H, W, C] -> map [B, H / 2^n, W / 2^n, latent], rounded up -> [B, H, W, C] before `output`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (32, 64)
    blocks: int = 2
    latent: int = 16
    kernel: int = 4
    activation: str = "relu"
    output: str = "sigmoid"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {"activation": ACTIVATIONS, "output": ACTIVATIONS, "kernel_init": INITIALIZERS}

    def setup(self):
        """Make the layers, named as their parameters are. Raises: InputError for points and for empty latents."""
        if len(self.shape) != 3 or self.latent < 1 or not self.channels:
            raise InputError(
                f"examples of shape {list(self.shape)}, channels={self.channels}, latent={self.latent}: expected "
                "images, at least one entry in channels and latents of at least one number"
            )
        init = INITIALIZERS[self.kernel_init]
        up = sides(self.shape, len(self.channels))[::-1]
        square = (self.kernel, self.kernel)
        self.down = [
            Conv(width, square, (2, 2), kernel_init=init, name=f"encoder_{i}") for i, width in enumerate(self.channels)
        ]
        self.down_blocks = [self._block(f"encoder_block_{i}") for i in range(self.blocks)]
        self.head = Conv(self.latent, (1, 1), kernel_init=init, name="encoder_codings")
        self.first = Conv(self.channels[-1], (3, 3), kernel_init=init, name="decoder_codings")
        self.up_blocks = [self._block(f"decoder_block_{i}") for i in range(self.blocks)]
        widths = (*self.channels[-2::-1], self.shape[2])
        self.layers = [
            upsampling_conv(width, self.kernel, side, init, f"decoder_{i}")
            for i, (width, side) in enumerate(zip(widths, up[1:], strict=True))
        ]

    def _block(self, name):
        return Residual(self.channels[-1], self.activation, self.kernel_init, name=name)

    def encode(self, x, train: bool = False):
        """The map of latents of images x."""
        act = ACTIVATIONS[self.activation]
        for i, layer in enumerate(self.down):
            x = layer(act(x) if i else x)
        for block in self.down_blocks:
            x = block(x)
        return self.head(act(x))

    def decode(self, z, train: bool = False):
        """Images of a map of latents z, before the activation `output`."""
        x = self.first(z)
        for block in self.up_blocks:
            x = block(x)
        for layer in self.layers:
            x = layer(ACTIVATIONS[self.activation](x))
        return x

    def __call__(self, x, train: bool = False):
        """Outputs for the images x: `decode` of `encode`."""
        return self.decode(self.encode(x, train), train)
