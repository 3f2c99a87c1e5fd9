"""The decoder of AdaIN: from an encoder's feature maps back to pixels.

It mirrors the encoder: nearest-neighbor upsampling for its poolings, and reflected borders. It has no normalization,
which would remove the style. Source: arXiv:1703.06868, section 6.1.
"""

import flax.linen as nn
import jax.numpy as jnp

from genjax.nets.layers import INITIALIZERS
from genjax.ops.conv import conv, upsample_conv
from genjax.ops.shared import per_example

WIDTHS = {
    "squeezenet": ((128, 64), (64, 32), (32,)),
    "vgg": ((256,), (256, 256, 256, 128), (128, 64), (64,)),
}
"""Encoder -> channels of the convolutions at each size; each size doubles the previous one. A last convolution to three
colors follows.

"vgg" is the paper's, the mirror of VGG19 up to relu4_1, at 1/8 of the image's height; "squeezenet" is the mirror of
SqueezeNet up to fire3, at 1/4.
"""

EDGES = ((0, 0), (1, 1), (1, 1), (0, 0))


def reach(widths: tuple[tuple[int, ...], ...]) -> int:
    """At most how far a pixel of the decoder's image depends on features, in pixels: a convolution reaches one further,
    of its own size, and two where it enlarges.
    """
    stages = [(2 ** (len(widths) - 1 - stage), len(at_size) + (stage > 0)) for stage, at_size in enumerate(widths)]
    return 1 + sum(stride * count for stride, count in stages)


class Decoder(nn.Module):
    """Feature maps to images from -1 (black) to 1 (white), not clipped.

    Height and width double with each of `widths` but the first. Shapes: [B, h, w, C] -> [B, H, W, 3].
    """

    widths: tuple[tuple[int, ...], ...] = WIDTHS["squeezenet"]

    @nn.compact
    def __call__(self, x):
        """Decode feature maps x."""
        for stage, widths in enumerate(self.widths):
            for number, width in enumerate(widths):
                x = nn.relu(ReflectedConv(width, enlarges=stage > 0 and number == 0, name=f"conv{stage}_{number}")(x))
        return ReflectedConv(3, name="pixels")(x)


class ReflectedConv(nn.Module):
    """A 3x3 convolution with reflected borders, optionally after 2x nearest-neighbor upsampling.

    Shapes: [B, H, W, I] -> [B, H, W, features], or [B, 2H, 2W, features].
    """

    features: int
    enlarges: bool = False

    @nn.compact
    def __call__(self, x):
        """Apply the layer to feature maps x."""
        w = self.param("kernel", INITIALIZERS["glorot"], (3, 3, x.shape[-1], self.features))
        b = self.param("bias", nn.initializers.zeros, (self.features,))
        if not self.enlarges:
            y = conv(jnp.pad(x, EDGES, mode="reflect"), w, padding="VALID")
            return y + per_example(b, y)
        # The reflection of an enlarged map repeats its border, since the pixel beside that is the same one.
        y = upsample_conv(jnp.pad(x, EDGES, mode="edge"), w)[:, 2:-2, 2:-2]
        return y + per_example(b, y)
