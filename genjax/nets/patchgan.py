"""PatchGAN: a critic whose logits are each of a patch of the image.

Source: arXiv:1611.07004, section 6.1.2. Paper: batch normalization; here: instance normalization, as in
`genjax.nets.unet`.
"""

from typing import ClassVar

import flax.linen as nn

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv
from genjax.nets.unet import NORMS, normalized


class PatchGAN(nn.Module):
    """A critic of patches: convolutions of stride 2, one of stride 1, and one of stride 1 to a logit per position.

    A logit's patch has `receptive_field` pixels on each side: with the paper's channels (64, 128) 16, with (64, 128,
    256, 512) 70, with (64, 128, 256, 512, 512, 512) 286, the whole of a smaller image; with kernel 1, whose strides are
    all 1, a single pixel.

    Fields:
        channels: of the maps before the logits; all but the last are of convolutions of stride 2.
        kernel: 4, or 1 for single pixels.
        norm: of all maps but the first, of `genjax.nets.unet.NORMS`. It takes its moments from the whole image.

    Shapes: x [B, H, W, C] -> logits [B, h, w].
    """

    channels: tuple[int, ...] = (64, 128, 256, 512)
    kernel: int = 4
    norm: str = "instance"
    spectral: bool = False
    kernel_init: str = "normal"
    minibatch: ClassVar[str] = ""
    batch_norm: ClassVar[bool] = False

    CHOICES: ClassVar = {"kernel": (1, 4), "norm": NORMS, "kernel_init": INITIALIZERS}

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride of each convolution, that of the logits last."""
        halving = 1 if self.kernel == 1 else 2
        return (*[halving] * (len(self.channels) - 1), 1, 1)

    @property
    def receptive_field(self) -> int:
        """Pixels on a side of the patch of one logit."""
        side = 1
        for stride in reversed(self.strides):
            side = (side - 1) * stride + self.kernel
        return side

    def check_size(self, height: int, width: int) -> None:
        """Raises: InputError for images of which no logit is left."""
        side = least = min(height, width)
        for stride in self.strides:
            side = (side + (self.kernel == 4) * 2 - self.kernel) // stride + 1
        if side < 1:
            raise InputError(
                f"critic.channels={self.channels}: images of {least} pixels on the shorter side are too small "
                f"for these convolutions: set fewer channels, such as {self.channels[:2]}, or a larger data.size"
            )

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Logits of the patches of images x."""
        pad = (int(self.kernel == 4),) * 2
        layer = {"kernel_size": (self.kernel,) * 2, "padding": (pad, pad), "spectral": self.spectral}
        layer["kernel_init"] = INITIALIZERS[self.kernel_init]
        for stage, (features, stride) in enumerate(zip(self.channels, self.strides, strict=False)):
            norm = self.norm if stage else "none"
            x = Conv(features, strides=(stride, stride), use_bias=norm == "none", **layer)(x, train)
            x = ACTIVATIONS["leaky_relu"](normalized(x, norm))
        return Conv(1, **layer)(x, train)[..., 0]
