"""Convolutional generator and critic: each stage doubles or halves the picture.

Source: arXiv:1511.06434; the defaults are the smaller nets that textbooks train on 28x28 images.
"""

import flax.linen as nn

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALISERS, Conv, ConvTranspose, Dropout, batch_norm, flatten


class Generator(nn.Module):
    """Latents to images: dense to the smallest map, then a transposed convolution (stride 2) a stage.

    `order` is "textbook" (activation, then normalisation, and none of the former on the smallest map) or "paper"
    (normalisation, then activation, everywhere).

    Shapes: z [B, latent] -> [B, *shape], in the range of `output`. shape[:2] must divide by 2 ** len(channels).
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (128, 64)
    kernel: int = 5
    activation: str = "selu"
    output: str = "tanh"
    order: str = "textbook"
    kernel_init: str = "glorot"

    def __post_init__(self):
        """Refuse a shape that the stages cannot double up to."""
        super().__post_init__()
        factor = 2 ** len(self.channels)
        if len(self.shape) != 3 or self.shape[0] % factor or self.shape[1] % factor:
            raise InputError(
                f"the DCGAN generator with {len(self.channels)} stages makes images [H, W, C] whose sides divide by "
                f"{factor}, but the data has shape {list(self.shape)}: change data.size or generator.channels"
            )

    @nn.compact
    def __call__(self, z, train: bool = False):
        """Generate from latents z; in training, normalise by the batch's statistics and update the running ones."""
        init, act = INITIALISERS[self.kernel_init], ACTIVATIONS[self.activation]
        height, width, colours = self.shape
        factor = 2 ** len(self.channels)
        base = (height // factor, width // factor, self.channels[0])
        x = batch_norm(nn.Dense(base[0] * base[1] * base[2], kernel_init=init)(z).reshape(-1, *base), train)
        x = x if self.order == "textbook" else act(x)
        layer = {"kernel_size": (self.kernel, self.kernel), "strides": (2, 2), "kernel_init": init}
        for features in self.channels[1:]:
            x = ConvTranspose(features, **layer)(x)
            x = batch_norm(act(x), train) if self.order == "textbook" else act(batch_norm(x, train))
        return ACTIVATIONS[self.output](ConvTranspose(colours, **layer)(x))


class Critic(nn.Module):
    """Images to one logit each: a convolution (stride 2), leaky ReLU 0.2 and dropout a stage, then one dense unit.

    Shapes: x [B, H, W, C] -> [B]. Without batch normalisation, so a gradient penalty per example is well defined.
    """

    channels: tuple[int, ...] = (64, 128)
    kernel: int = 5
    activation: str = "leaky_relu"
    dropout: float = 0.4
    kernel_init: str = "glorot"

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Judge images x; dropout only in training."""
        init = INITIALISERS[self.kernel_init]
        for features in self.channels:
            x = Conv(features, (self.kernel, self.kernel), (2, 2), kernel_init=init)(x)
            x = Dropout(self.dropout)(ACTIVATIONS[self.activation](x), train)
        return nn.Dense(1, kernel_init=init)(flatten(x))[:, 0]
