"""Convolutional generator and critic: each stage doubles or halves the sides of the image.

Source: arXiv:1511.06434; the defaults are a textbook's smaller nets for 28x28 images.
"""

from typing import ClassVar

import flax.linen as nn

from genjax.errors import InputError
from genjax.nets.critic import CHOICES, append_class, critic_head
from genjax.nets.doubling import nearest_multiple
from genjax.nets.layers import (
    ACTIVATIONS,
    INITIALIZERS,
    ConditionalBatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Dropout,
    batch_norm,
)
from genjax.nets.minibatch import GROUP


class Generator(nn.Module):
    """A generator: a dense layer to the smallest map, then a transposed convolution of stride 2 per stage.

    Fields:
        channels: of the maps, the smallest map first; shape[:2] must be divisible by 2 ** len(channels).
        order: "textbook" (activation, then normalization; no activation of the smallest map) or "paper"
            (normalization, then activation, everywhere).
        conditioning: "concat" (the class is concatenated with the latents) or "batch_norm" (each class has its own
            scales and offsets).

    Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, *shape], in the range of `output`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (128, 64)
    kernel: int = 5
    activation: str = "selu"
    output: str = "tanh"
    order: str = "textbook"
    conditioning: str = "concat"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {
        "activation": ACTIVATIONS,
        "output": ACTIVATIONS,
        "order": ("textbook", "paper"),
        "conditioning": ("concat", "batch_norm"),
        "kernel_init": INITIALIZERS,
    }

    def __post_init__(self):
        """Raises: InputError for a shape that the stages cannot make."""
        super().__post_init__()
        factor = 2 ** len(self.channels)
        if len(self.shape) != 3 or self.shape[0] % factor or self.shape[1] % factor:
            raise InputError(
                f"the DCGAN generator with {len(self.channels)} stages makes images [H, W, C] whose sides divide by "
                f"{factor}, but the data have shape {list(self.shape)}: set data.size, such as "
                f"{nearest_multiple(self.shape, factor)}, or generator.channels"
            )

    @nn.compact
    def __call__(self, z, train: bool = False, class_onehot=None):
        """Images of latents z; in training, normalize by the batch's statistics and update the running ones."""
        init = INITIALIZERS[self.kernel_init]
        act = ACTIVATIONS[self.activation]
        by_class = class_onehot is not None and self.conditioning == "batch_norm"

        def norm(x):
            return ConditionalBatchNorm()(x, train, class_onehot) if by_class else batch_norm(x, train)

        height, width, colors = self.shape
        factor = 2 ** len(self.channels)
        base = (height // factor, width // factor, self.channels[0])
        z = z if by_class else append_class(z, class_onehot)
        x = norm(Dense(base[0] * base[1] * base[2], kernel_init=init)(z).reshape(-1, *base))
        x = x if self.order == "textbook" else act(x)
        layer = {"kernel_size": (self.kernel, self.kernel), "strides": (2, 2), "kernel_init": init}
        for features in self.channels[1:]:
            x = ConvTranspose(features, **layer)(x)
            x = norm(act(x)) if self.order == "textbook" else act(norm(x))
        return ACTIVATIONS[self.output](ConvTranspose(colors, **layer)(x))


class Critic(nn.Module):
    """A critic: a convolution of stride 2, leaky ReLU 0.2 and dropout per stage, then one dense unit.

    `batch_norm` normalizes all stages except the first, as in the paper; a gradient penalty, which is of single
    examples, needs it off. Further fields: see `genjax.nets.critic.critic_head`.
    Shapes: x [B, H, W, C], class_onehot [B, classes] or None -> [B].
    """

    channels: tuple[int, ...] = (64, 128)
    kernel: int = 5
    activation: str = "leaky_relu"
    dropout: float = 0.4
    batch_norm: bool = False
    spectral: bool = False
    minibatch: str = ""
    minibatch_kernels: int = 50
    minibatch_group: int = GROUP
    conditioning: str = "concat"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = CHOICES | {"activation": ACTIVATIONS}

    @nn.compact
    def __call__(self, x, train: bool = False, class_onehot=None):
        """Logits of images x; dropout only in training."""
        layer = {"kernel_size": (self.kernel, self.kernel), "strides": (2, 2), "spectral": self.spectral}
        x = append_class(x, class_onehot) if self.conditioning == "concat" else x
        for number, features in enumerate(self.channels):
            x = Conv(features, **layer, kernel_init=INITIALIZERS[self.kernel_init])(x, train)
            x = batch_norm(x, train) if self.batch_norm and number else x
            x = Dropout(self.dropout)(ACTIVATIONS[self.activation](x), train)
        return critic_head(self, x, train, class_onehot)
