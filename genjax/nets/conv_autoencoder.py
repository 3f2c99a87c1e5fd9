"""The convolutional autoencoder: convolutions and max pooling down, transposed convolutions up.

`encode` and `decode` are as in `genjax.nets.autoencoder`, but the latents are a map.
"""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv, ConvTranspose
from genjax.ops.pool import max_pool


class Convolutional(nn.Module):
    """A convolution and 2x2 max pooling for each of `channels`, and back by strides of 2 to the same sizes.

    Pooling rounds sides down (7 to 3), and the decoder restores them exactly. `up` "upsample" repeats pixels before a
    convolution, which avoids checkerboards (distill.pub/2016/deconv-checkerboard).
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
        """Heights and widths from the image to the latents."""
        return [tuple(n >> i for n in self.shape[:2]) for i in range(len(self.channels) + 1)]

    def setup(self):
        """Create the layers. Raises: InputError for sides that cannot be halved `len(channels)` times."""
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
        """Padding of a stride of 2 that gives a side, even or odd."""
        surplus = self.kernel - 2 - side % 2
        return surplus // 2, surplus - surplus // 2

    def encode(self, x, train: bool = False):
        """The map of latents of images x."""
        for layer in self.down:
            x = max_pool(ACTIVATIONS[self.activation](layer(x)))
        return x

    def decode(self, z, train: bool = False):
        """Images of a map of latents z, before the output's activation."""
        for number, (layer, side) in enumerate(zip(self.layers, self.sides[-2::-1], strict=True)):
            if self.up == "upsample":
                z = jnp.repeat(jnp.repeat(z, 2, 1), 2, 2)
                z = jnp.pad(z, [(0, 0), *((0, n % 2) for n in side), (0, 0)], mode="edge")
            z = layer(z)
            z = ACTIVATIONS[self.activation](z) if number + 1 < len(self.layers) else z
        return z

    def __call__(self, x, train: bool = False):
        """Reconstructions of images x, before the output's activation."""
        return self.decode(self.encode(x, train), train)
