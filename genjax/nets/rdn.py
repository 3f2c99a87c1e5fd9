"""The residual dense net that enlarges images: dense blocks at the small size, then one enlargement.

Source: arXiv:1802.08797; the enlargement, by repeated pixels and a convolution, is that of the published nets that
`genjax.weights.rdn` reads.
"""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.nets.layers import INITIALIZERS, Conv


class ResidualDense(nn.Module):
    """Residual dense blocks on the small image, which is every `scale`-th pixel of the input.

    Inputs are small images whose pixels are repeated as blocks, as those of `small2:` to `small8:` are, so an output
    has the input's sides.

    Fields:
        colors: channels of the outputs; the task sets it.
        scale: the factor of the enlargement; an input's sides must be multiples of it.
        blocks, convs, growth: dense blocks, convolutions in each, and channels that each of these adds.
        width: channels of the blocks' inputs and outputs.
        output: "tanh" or "sigmoid", the range of pixels; outputs are not clipped to it.

    Shapes: x [B, H, W, C] -> [B, H, W, colors].
    """

    colors: int
    scale: int = 4
    blocks: int = 2
    convs: int = 1
    growth: int = 4
    width: int = 64
    output: str = "sigmoid"
    kernel_init: str = "he"

    CHOICES: ClassVar = {"output": ("tanh", "sigmoid"), "kernel_init": INITIALIZERS}
    norm: ClassVar[str] = "none"

    @property
    def multiple(self) -> int:
        """The least side of an image; others are its multiples."""
        return self.scale

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Enlargements of images x."""

        def conv(x, name, features, side=3):
            return Conv(features, (side, side), kernel_init=INITIALIZERS[self.kernel_init], name=name)(x)

        first = conv(x[:, :: self.scale, :: self.scale], "shallow_0", self.width)
        x = conv(first, "shallow_1", self.width)
        outputs = []
        for block in range(self.blocks):
            dense = x
            for layer in range(self.convs):
                added = nn.relu(conv(dense, f"block_{block}_conv_{layer}", self.growth))
                dense = jnp.concatenate([dense, added], -1)
            x = x + conv(dense, f"block_{block}_fusion", self.width, 1)
            outputs.append(x)
        x = conv(jnp.concatenate(outputs, -1), "fusion_0", self.width, 1)
        x = first + conv(x, "fusion_1", self.width)
        x = nn.relu(conv(x, "up_0", 64, 5))
        x = nn.relu(conv(x, "up_1", 32))
        x = conv(x, "up_2", self.colors * self.scale**2)
        return conv(x.repeat(self.scale, 1).repeat(self.scale, 2), "up_3", self.colors)
