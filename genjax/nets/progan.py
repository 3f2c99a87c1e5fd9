"""ProGAN's generator and critic: images of 4x4 pixels, then twice the sides with each stage.

Stage s has images of 4 * 2**s pixels per side; rectangles start from another small image (`genjax.nets.doubling`). The
weights of all stages exist from the start; a call names its stage.
Source: arXiv:1710.10196, sections 2 to 4, and table 2. Details that the table leaves open are as in its authors' code:
the gain of the first dense layer, and which layers have a gain of one.
"""

from math import prod
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.nets.critic import append_class, sow
from genjax.nets.doubling import check_stages, start_size
from genjax.nets.equalized import RELU_GAIN, Conv, Dense, pixel_norm
from genjax.nets.layers import ACTIVATIONS
from genjax.nets.minibatch import GROUP, MINIBATCH, append_statistic
from genjax.nets.remat import maybe_remat
from genjax.ops.resample import BINOMIAL, SMOOTH, downsample2x, upfirdn2d, upsample2x

leaky_relu = ACTIVATIONS["leaky_relu"]


def blend(alpha, old, new):
    """(1 - alpha) * old + alpha * new, exact at 0 and 1; `new` if alpha is None."""
    return new if alpha is None else (1 - alpha) * old + alpha * new


class Generator(nn.Module):
    """A generator: a dense layer to 4x4 (or such), then nearest-neighbor upsampling and two convolutions per stage.

    Fields:
        channels: of each stage.
        bilinear: True to filter upsampled maps with [1, 2, 1] (arXiv:1812.04948, table 1, B).
        channel_bias: True for one bias per channel after the dense layer, as in the authors' code, not one per number.
        output: the range of pixels; no activation is applied.
        remat: True to keep one map per layer for the backward pass.

    With classes, latents are followed by the class' one-hot and normalized with it, as in the authors' code.

    Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, h * 2**stage, w * 2**stage, C] from the start
    (h, w); without a stage, that of `shape`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    bilinear: bool = False
    channel_bias: bool = False
    output: str = "tanh"
    remat: bool = False

    CHOICES: ClassVar = {"output": ("tanh", "sigmoid")}
    has_styles: ClassVar[bool] = False

    def __post_init__(self):
        """Raises: InputError for a shape that the stages do not make."""
        super().__post_init__()
        check_stages("generator", self.shape, self.channels)

    def setup(self):
        """Create the layers of all stages."""
        first, *later = self.channels
        self.start = start_size(self.shape, self.channels)
        places = prod(self.start)
        self.dense = Dense(places * first, gain=RELU_GAIN / places**0.5, use_bias=not self.channel_bias)
        self.bias = self.param("bias", nn.initializers.zeros, (first,)) if self.channel_bias else None
        self.convs = [(Conv(first),), *((Conv(n, upsample=not self.bilinear), Conv(n)) for n in later)]
        self.to_rgb = [Conv(self.shape[2], kernel=1, gain=1.0) for _ in self.channels]

    def __call__(self, z, train: bool = False, class_onehot=None, stage: int | None = None, alpha=None):
        """The image of a stage, blended by `alpha` with the upsampled image of the stage before."""
        last = len(self.channels) - 1
        stage = last if stage is None else stage
        z = append_class(z, class_onehot)
        maps = self._maps(z, last if self.is_initializing() else stage)
        rgb = [self.to_rgb[i](x) for i, x in enumerate(maps) if i >= stage - 1 or self.is_initializing()]
        return rgb[-1] if stage == 0 else blend(alpha, upsample2x(rgb[-2]), rgb[-1])

    def partially_grown(self, z, level):
        """The full-sized image at a (traced) level: s + alpha is stage s + 1, blended in by alpha.

        With classes, z has the class' one-hot at its end.
        """
        image = None
        for i, x in enumerate(self._maps(z, len(self.channels) - 1)):
            new = self.to_rgb[i](x)
            image = new if i == 0 else blend(jnp.clip(level - i + 1, 0, 1), upsample2x(image), new)
        return image

    def scales(self, z, train: bool = False, class_onehot=None):
        """The images of all stages, the smallest first."""
        return tuple(to_rgb(x) for to_rgb, x in zip(self.to_rgb, self._maps(z, len(self.channels) - 1), strict=True))

    def _maps(self, z, last):
        """The maps of the stages 0 to `last`."""
        x = self.dense(pixel_norm(z)).reshape(-1, *self.start, self.channels[0])
        x = x + self.bias if self.channel_bias else x
        x = pixel_norm(leaky_relu(x))
        maps = []
        layer = maybe_remat(self.remat, lambda conv, x: pixel_norm(leaky_relu(conv(x))))
        for i, convs in enumerate(self.convs[: last + 1]):
            x = upfirdn2d(upsample2x(x), BINOMIAL) if i and self.bilinear else x
            for conv in convs:
                x = layer(conv, x)
            maps.append(x)
        return maps


class Critic(nn.Module):
    """A critic: the generator mirrored, with averages of 2x2 pixels in place of upsampling.

    Fields:
        channels: of each stage.
        minibatch: a statistic over the batch that joins the smallest maps; "": none.
        minibatch_group: examples per group of that statistic.
        bilinear: True to filter maps with [1, 2, 1] before they are downsampled.
        order: "paper": a stage's last convolution, bias and leaky ReLU, filter, mean; "code", as the authors' code has
            it: filter, convolution, mean, bias and leaky ReLU.
        conditioning: with classes, "auxiliary": the last layer has a logit per class as well, to classify with, and the
            class is no input (arXiv:1610.09585), as in the authors' code; "class_logit": it has these alone, and that
            of the example's class is the logit, as in the code of arXiv:1812.04948.
        remat: True to keep one map per layer for the backward pass.

    Shapes: x [B, h * 2**stage, w * 2**stage, C] from the start (h, w), class_onehot [B, classes] or None -> [B].
    """

    channels: tuple[int, ...] = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    minibatch: str = "stddev"
    minibatch_group: int = GROUP
    bilinear: bool = False
    order: str = "paper"
    conditioning: str = "auxiliary"
    remat: bool = False

    CHOICES: ClassVar = {
        "minibatch": ("", *MINIBATCH),
        "order": ("paper", "code"),
        "conditioning": ("auxiliary", "class_logit"),
    }

    def setup(self):
        """Create the layers of all stages."""
        below = (self.channels[0], *self.channels[:-1])
        self.from_rgb = [Conv(n, kernel=1) for n in self.channels]
        last = {"downsample": self.order == "code"}
        self.convs = [None, *((Conv(n), Conv(m, **last)) for m, n in zip(below[1:], self.channels[1:], strict=True))]
        self.last = Conv(self.channels[0]), Dense(self.channels[0]), Dense(1, gain=1.0)

    def __call__(self, x, train: bool = False, class_onehot=None, stage: int | None = None, alpha=None):
        """Logits of images of a stage, whose maps `alpha` blends with those of the downsampled image."""
        stage = len(self.channels) - 1 if stage is None else stage
        h = leaky_relu(self.from_rgb[stage](x))
        for i in range(stage, 0, -1):
            h = self._previous_stage(i, h)
            if self.is_initializing() or (i == stage and alpha is not None):
                x = downsample2x(x)
                h = blend(alpha, leaky_relu(self.from_rgb[i - 1](x)), h)
        return self._logits(h, class_onehot)

    def _previous_stage(self, i, h):
        """Maps of stage i to maps of stage i - 1."""
        layer = maybe_remat(self.remat, lambda conv, h: leaky_relu(conv(h)))
        first, second = self.convs[i]
        h = layer(first, h)
        if self.order == "code":
            return layer(second, upfirdn2d(h, BINOMIAL) if self.bilinear else h)
        h = layer(second, h)
        # The filter [1, 2, 1] followed by means of 2x2 pixels is [1, 3, 3, 1].
        return upfirdn2d(h, SMOOTH, down=2) if self.bilinear else downsample2x(h)

    @nn.compact
    def _logits(self, h, class_onehot):
        conv, hidden, logit = self.last
        h = leaky_relu(conv(append_statistic(self.minibatch, h, self.minibatch_group)))
        h = leaky_relu(hidden(h.reshape(len(h), -1)))
        if class_onehot is not None:
            by_class = Dense(class_onehot.shape[1], gain=1.0, name="class_logits")(h)
            if self.conditioning == "class_logit":
                return (by_class * class_onehot).sum(1)
            sow(self, "classes", by_class)
        return logit(h)[:, 0]
