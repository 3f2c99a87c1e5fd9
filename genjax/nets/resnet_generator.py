"""The residual generator that translates images: few halvings, residual blocks at the smallest size, and back.

Source: arXiv:1603.08155, its supplement, as arXiv:1703.10593, appendix 7.2, has it: reflected borders in place of
zeros, and instance normalization. A convolution before it has no bias, which it would remove.
"""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv, ConvTranspose
from genjax.nets.unet import NORMS, Noise, normalized


class ResnetGenerator(nn.Module):
    """A 7x7 convolution, 3x3 ones of stride 2, residual blocks, and the way back.

    Fields:
        colors: channels of the outputs; the task sets it.
        channels: of the maps by size, the largest first; an image's sides must be multiples of
            2 ** (len(channels) - 1).
        blocks: residual blocks; the authors have 9 for images of 256x256 or more, 6 for smaller ones.
        dropout: within the blocks, in training and in use: the noise of the outputs.
        norm: of all maps, of `genjax.nets.unet.NORMS`.
        output: "tanh" or "sigmoid", the range of pixels.

    Shapes: x [B, H, W, C] -> [B, H, W, colors]. Random numbers are of the stream "dropout".
    """

    colors: int
    channels: tuple[int, ...] = (64, 128, 256)
    blocks: int = 9
    dropout: float = 0.0
    norm: str = "instance_plain"
    output: str = "tanh"
    kernel_init: str = "normal"

    CHOICES: ClassVar = {"norm": NORMS, "output": ("tanh", "sigmoid"), "kernel_init": INITIALIZERS}

    @property
    def multiple(self) -> int:
        """The least side of an image; others are its multiples."""
        return 2 ** (len(self.channels) - 1)

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Translations of images x."""
        init = INITIALIZERS[self.kernel_init]
        halving = {"kernel_size": (3, 3), "strides": (2, 2), "padding": ((1, 0), (1, 0)), "kernel_init": init}
        halving["use_bias"] = self.norm == "none"

        def reflected(x, features, side, **options):
            """A convolution with reflected borders."""
            return Conv(features, (side, side), padding="VALID", kernel_init=init, **options)(bordered(x, side // 2))

        def block(x):
            y = nn.relu(normalized(reflected(x, x.shape[-1], 3, use_bias=halving["use_bias"]), self.norm))
            y = Noise(self.dropout)(y, train)
            return x + normalized(reflected(y, x.shape[-1], 3, use_bias=halving["use_bias"]), self.norm)

        x = nn.relu(normalized(reflected(x, self.channels[0], 7, use_bias=halving["use_bias"]), self.norm))
        for features in self.channels[1:]:
            x = nn.relu(normalized(Conv(features, **halving)(x), self.norm))
        for _ in range(self.blocks):
            x = block(x)
        for features in reversed(self.channels[:-1]):
            x = nn.relu(normalized(ConvTranspose(features, **halving)(x), self.norm))
        return ACTIVATIONS[self.output](reflected(x, self.colors, 7))


def bordered(x, pixels: int):
    """Images with their reflection around them, the border's own pixels not repeated.

    Shapes: [B, H, W, C] -> [B, H + 2 pixels, W + 2 pixels, C].
    """
    return jnp.pad(x, ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0)), "reflect")
