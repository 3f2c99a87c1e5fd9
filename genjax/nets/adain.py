"""The decoder of AdaIN: from an encoder's maps, of a fraction of an image's side, back to pixels.

It mirrors the encoder: nearest neighbors for its poolings, reflected borders, and no normalization, which would take
the style out again. Source: arXiv:1703.06868, section 6.1.
"""

import flax.linen as nn
import jax.numpy as jnp

from genjax.nets.layers import INITIALIZERS
from genjax.ops.conv import conv, upsample_conv

WIDTHS = {
    "squeezenet": ((128, 64), (64, 32), (32,)),
    "vgg": ((256,), (256, 256, 256, 128), (128, 64), (64,)),
}
"""Channels of the convolutions at each size, of twice the side of the one before; one to three colors comes after.

"vgg" is the paper's, the mirror of VGG19 up to relu4_1, at an eighth of the side; "squeezenet" that of SqueezeNet up to
fire3, at a quarter.
"""


class Decoder(nn.Module):
    """Maps to images, from -1 (black) to 1 but not clipped, of twice the side for each of `widths` but the first.

    Shapes: [B, h, w, C] -> [B, H, W, 3].
    """

    widths: tuple[tuple[int, ...], ...] = WIDTHS["squeezenet"]

    @nn.compact
    def __call__(self, x):
        """Paint the maps x."""
        for stage, widths in enumerate(self.widths):
            for number, width in enumerate(widths):
                x = nn.relu(Reflected(width, enlarges=stage > 0 and number == 0, name=f"conv{stage}_{number}")(x))
        return Reflected(3, name="pixels")(x)


class Reflected(nn.Module):
    """A 3x3 convolution with a reflected border, of the map or of one enlarged twofold by nearest neighbors.

    Shapes: [B, H, W, I] -> [B, H, W, features], or [B, 2H, 2W, features].
    """

    features: int
    enlarges: bool = False

    @nn.compact
    def __call__(self, x):
        """Apply the layer to maps x."""
        w = self.param("kernel", INITIALIZERS["glorot"], (3, 3, x.shape[-1], self.features))
        b = self.param("bias", nn.initializers.zeros, (self.features,))
        if not self.enlarges:
            return conv(jnp.pad(x, EDGES, mode="reflect"), w, padding="VALID") + b
        # The reflection of an enlarged map repeats its border, since the pixel beside that is the same one.
        y = upsample_conv(jnp.pad(x, EDGES, mode="edge"), w)
        return y[:, 2:-2, 2:-2] + b


EDGES = ((0, 0), (1, 1), (1, 1), (0, 0))
