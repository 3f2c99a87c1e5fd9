"""ProGAN's generator and critic: images of 4x4 pixels in the first stage, and of twice the side in each further stage.

Images of stage s have 4 * 2**s pixels per side. The weights of all stages exist from the start, and a net is called
with a stage. Source: arXiv:1710.10196, sections 2 to 4, and table 2. Details that the table leaves open follow its
authors' code: the gain of the first dense layer, and the layers with a gain of one.
"""

import math
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.equalized import RELU_GAIN, Conv, Dense, pixel_norm
from genjax.nets.layers import ACTIVATIONS
from genjax.nets.minibatch import book_stddev_map, stddev_map
from genjax.nets.remat import maybe_remat
from genjax.ops.resample import BINOMIAL, SMOOTH, downsample2x, upfirdn2d, upsample2x

leaky_relu = ACTIVATIONS["leaky_relu"]


def check_stages(net: str, shape: tuple[int, ...], channels: tuple[int, ...]) -> None:
    """Raises: InputError for sides of images that are not 4, 8, 16, ..., or not one of `channels` per stage."""
    side = shape[0]
    stages = round(math.log2(max(side, 1) / 4)) + 1
    if len(shape) != 3 or shape[1] != side or side < 4 or 4 * 2 ** (stages - 1) != side:
        raise InputError(
            f"growing nets make square images of 4, 8, 16, ... pixels per side, but the data have shape "
            f"{list(shape)}: set data.size, such as 32 (data.resize says how)"
        )
    if len(channels) != stages:
        sides = ", ".join(str(4 * 2**stage) for stage in range(stages))
        raise InputError(f"{net}.channels={channels}: expected {stages} numbers, for maps of {sides} pixels per side")


def blend(alpha, old, new):
    """Blend by `alpha` from old to new, exact at 0 and 1."""
    return new if alpha is None else (1 - alpha) * old + alpha * new


def append_stddev(minibatch: str, h):
    """Append the statistic named `minibatch`, if any, to a critic's maps of 4x4."""
    return {"stddev": stddev_map, "stddev_book": book_stddev_map, "": lambda h: h}[minibatch](h)


class Generator(nn.Module):
    """Latents to images: a dense layer to 4x4, then nearest-neighbor upsampling and two convolutions per stage.

    `channels` are those of the stages. `bilinear` follows each upsampling of maps by the filter [1, 2, 1]
    (arXiv:1812.04948, table 1, B). `output` names the range of pixels; no activation is applied to them. `remat` keeps
    one map per layer for the backward pass.

    Shapes: z [B, latent] -> [B, side, side, C], side = 4 * 2**stage, or that of `shape`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    bilinear: bool = False
    output: str = "tanh"
    remat: bool = False

    CHOICES: ClassVar = {"output": ("tanh", "sigmoid")}
    has_styles: ClassVar[bool] = False

    def __post_init__(self):
        """Raises: InputError for a shape that the stages do not produce."""
        super().__post_init__()
        check_stages("generator", self.shape, self.channels)

    def setup(self):
        """Create the layers of all stages."""
        first, *others = self.channels
        self.dense = Dense(16 * first, gain=RELU_GAIN / 4)
        self.convs = [(Conv(first),), *((Conv(n, enlarges=not self.bilinear), Conv(n)) for n in others)]
        self.to_rgb = [Conv(self.shape[2], kernel=1, gain=1.0) for _ in self.channels]

    def __call__(self, z, train: bool = False, class_onehot=None, stage: int | None = None, alpha=None):
        """The image of one stage; with `alpha`, blended with the upsampled image of the stage before."""
        last = len(self.channels) - 1
        stage = last if stage is None else stage
        maps = self._maps(z, last if self.is_initializing() else stage)
        rgb = [self.to_rgb[i](x) for i, x in enumerate(maps) if i >= stage - 1 or self.is_initializing()]
        return rgb[-1] if stage == 0 else blend(alpha, upsample2x(rgb[-2]), rgb[-1])

    def partially_grown(self, z, level):
        """The full-sized image at a (traced) level s + a: stage s + 1, blended in by a."""
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
        x = self.dense(pixel_norm(z)).reshape(-1, 4, 4, self.channels[0])
        x, maps = pixel_norm(leaky_relu(x)), []
        layer = maybe_remat(self.remat, lambda conv, x: pixel_norm(leaky_relu(conv(x))))
        for i, convs in enumerate(self.convs[: last + 1]):
            x = upfirdn2d(upsample2x(x), BINOMIAL) if i and self.bilinear else x
            for conv in convs:
                x = layer(conv, x)
            maps.append(x)
        return maps


class Critic(nn.Module):
    """Images to logits: the mirrored generator, with 2x2 average pooling in place of upsampling.

    The last stage has a map of the standard deviation over the batch: `minibatch` is "stddev" (the paper's, over
    groups of 4), "stddev_book" or "". `bilinear` filters by [1, 2, 1] before each pooling. `remat` is as in the
    generator.

    Shapes: x [B, side, side, C], side = 4 * 2**stage -> [B].
    """

    channels: tuple[int, ...] = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    minibatch: str = "stddev"
    bilinear: bool = False
    remat: bool = False

    CHOICES: ClassVar = {"minibatch": ("", "stddev", "stddev_book")}

    def setup(self):
        """Create the layers of all stages."""
        below = (self.channels[0], *self.channels[:-1])
        self.from_rgb = [Conv(n, kernel=1) for n in self.channels]
        self.convs = [None, *((Conv(n), Conv(m)) for m, n in zip(below[1:], self.channels[1:], strict=True))]
        self.last = Conv(self.channels[0]), Dense(self.channels[0]), Dense(1, gain=1.0)

    def __call__(self, x, train: bool = False, class_onehot=None, stage: int | None = None, alpha=None):
        """Logits of images of one stage; with `alpha`, its maps are blended with those of the halved images."""
        stage = len(self.channels) - 1 if stage is None else stage
        h = leaky_relu(self.from_rgb[stage](x))
        for i in range(stage, 0, -1):
            h = self._halved(i, h)
            if self.is_initializing() or (i == stage and alpha is not None):
                x = downsample2x(x)
                h = blend(alpha, leaky_relu(self.from_rgb[i - 1](x)), h)
        return self._logits(h)

    def _halved(self, i, h):
        """The maps of stage i - 1 from those of stage i."""
        layer = maybe_remat(self.remat, lambda conv, h: leaky_relu(conv(h)))
        for conv in self.convs[i]:
            h = layer(conv, h)
        return (
            upfirdn2d(h, SMOOTH, down=2) if self.bilinear else downsample2x(h)
        )  # the 2x2 mean after [1, 2, 1] is the filter [1, 3, 3, 1]

    def _logits(self, h):
        conv, hidden, logit = self.last
        h = leaky_relu(conv(append_stddev(self.minibatch, h)))
        h = leaky_relu(hidden(h.reshape(len(h), -1)))
        return logit(h)[:, 0]
