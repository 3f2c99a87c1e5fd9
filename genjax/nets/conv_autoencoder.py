"""The convolutional autoencoder: convolutions and max pooling down, transposed convolutions up.

As `genjax.nets.autoencoder` describes it; the latents are a map.
"""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv, ConvTranspose
from genjax.ops.pool import max_pool


class Convolutional(nn.Module):
    """A convolution and a 2x2 maximum pooling per entry of `channels`; back to the same sizes by strides of 2.

    Pooling rounds sizes down, such as 7 to 3; the decoder restores each of them. `up` = "upsample" repeats pixels and
    convolves, which avoids checkerboard artifacts (distill.pub/2016/deconv-checkerboard); "transposed" does not.
    Shapes: x [B, H, W, C] -> map [B, H / 2^n, W / 2^n, channels[-1]], rounded down -> [B, H, W, C] before `output`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (16, 32, 64)
    kernel: int = 3
    activation: str = "selu"
    output: str = "sigmoid"
    up: str = "transposed"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {
        "activation": ACTIVATIONS,
        "output": ACTIVATIONS,
        "up": ("transposed", "upsample"),
        "kernel_init": INITIALIZERS,
    }

    @property
    def sides(self) -> list[tuple[int, int]]:
        """Heights and widths of the maps, from the image to the latents."""
        return [tuple(n >> i for n in self.shape[:2]) for i in range(len(self.channels) + 1)]

    def setup(self):
        """Make the layers, named as their parameters are. Raises: InputError for images too small to be halved."""
        if min(self.sides[-1]) < 1 or self.kernel < 3:
            raise InputError(
                f"images of {self.shape[0]}x{self.shape[1]} with kernel={self.kernel}: expected sides of at least "
                f"{2 ** len(self.channels)}, to be halved {len(self.channels)} times, and a kernel of at least 3"
            )
        same = {"kernel_size": (self.kernel, self.kernel), "kernel_init": INITIALIZERS[self.kernel_init]}
        self.down = [Conv(width, **same, name=f"encoder_{i}") for i, width in enumerate(self.channels)]
        widths = (*self.channels[-2::-1], self.shape[2])
        named = [
            (width, side, f"decoder_{i}")
            for i, (width, side) in enumerate(zip(widths, self.sides[-2::-1], strict=True))
        ]
        if self.up == "upsample":
            self.layers = [Conv(width, **same, name=name) for width, _, name in named]
        else:
            self.layers = [
                ConvTranspose(width, strides=(2, 2), padding=tuple(map(self._pads, side)), **same, name=name)
                for width, side, name in named
            ]

    def _pads(self, side):
        """Padding with which a stride of 2 gives a size, even or odd."""
        surplus = self.kernel - 2 - side % 2
        return surplus // 2, surplus - surplus // 2

    def encode(self, x, train: bool = False):
        """The map of latents of images x."""
        for layer in self.down:
            x = max_pool(ACTIVATIONS[self.activation](layer(x)))
        return x

    def decode(self, z, train: bool = False):
        """Images of a map of latents z, before the activation `output`."""
        for i, (layer, side) in enumerate(zip(self.layers, self.sides[-2::-1], strict=True)):
            if self.up == "upsample":
                z = jnp.repeat(jnp.repeat(z, 2, 1), 2, 2)
                z = jnp.pad(z, [(0, 0), *((0, n % 2) for n in side), (0, 0)], mode="edge")
            z = layer(z)
            z = ACTIVATIONS[self.activation](z) if i + 1 < len(self.layers) else z
        return z

    def __call__(self, x, train: bool = False):
        """Outputs for the images x: `decode` of `encode`."""
        return self.decode(self.encode(x, train), train)
