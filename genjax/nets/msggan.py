"""MSG-GAN's critic, whose input is an image in all sizes at once; its generator is ProGAN's (`scales`).

Gradients reach every stage of the generator from the start, and nothing needs to grow.
Source: arXiv:1903.06048, section 3. Paper: the standard deviation over the batch in every block; here: in the last.
"""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.nets import progan
from genjax.nets.equalized import Conv, Dense
from genjax.nets.minibatch import GROUP, MINIBATCH, append_statistic
from genjax.nets.progan import leaky_relu
from genjax.nets.remat import maybe_remat
from genjax.ops.resample import downsample2x

Generator = progan.Generator


class Critic(nn.Module):
    """A critic: the image of each stage joins the maps that come from the larger images.

    Fields:
        channels: of each stage.
        combine: "simple" concatenates the image with the maps, "lin_cat" a 1x1 convolution of the image with as many
            channels as the maps, "cat_lin" applies a 1x1 convolution to both (the paper's phi).
        minibatch: a statistic over the batch that joins the smallest maps; "": none.
        minibatch_group: examples per group of that statistic.
        remat: True to keep one map per layer for the backward pass.

    Shapes: x a tuple of [B, h * 2**i, w * 2**i, C] for i = 0, 1, ... from the start (h, w) -> [B].
    """

    channels: tuple[int, ...] = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    combine: str = "lin_cat"
    minibatch: str = "stddev"
    minibatch_group: int = GROUP
    remat: bool = False

    CHOICES: ClassVar = {"combine": ("simple", "lin_cat", "cat_lin"), "minibatch": ("", *MINIBATCH)}

    @nn.compact
    def __call__(self, x, train: bool = False, class_onehot=None):
        """Logits of images of all sizes, the smallest first."""
        *smaller, largest = x
        layer = maybe_remat(self.remat, lambda conv, h: leaky_relu(conv(h)))
        h = leaky_relu(Conv(self.channels[-1], kernel=1, name="from_rgb")(largest))
        for stage in range(len(smaller), 0, -1):
            for width in self.channels[stage], self.channels[stage - 1]:
                h = layer(Conv(width), h)
            h = self._join(smaller[stage - 1], downsample2x(h))
        h = leaky_relu(Conv(self.channels[0])(append_statistic(self.minibatch, h, self.minibatch_group)))
        h = leaky_relu(Dense(self.channels[0])(h.reshape(len(h), -1)))
        return Dense(1, gain=1.0)(h)[:, 0]

    def _join(self, image, h):
        """Maps of an image and of the larger ones."""
        width = h.shape[-1]
        if self.combine == "lin_cat":
            image = Conv(width, kernel=1, gain=1.0)(image)
        h = jnp.concatenate([image, h], 3)
        return Conv(width, kernel=1, gain=1.0)(h) if self.combine == "cat_lin" else h
