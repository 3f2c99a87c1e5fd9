"""StyleGAN2's nets: styles that modulate kernels, images that are sums over stages, a residual critic. No growth.

Source: arXiv:1912.04958, sections 2.2, 4.1 and 4.2: config F of table 1. Details that these leave open (gains, filters,
epsilon) are as in its authors' code; classes are as in the code of arXiv:2006.06676.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.doubling import check_stages, start_size
from genjax.nets.equalized import RELU_GAIN, Conv, Dense
from genjax.nets.mapping import Mapping, Styled, leaky_relu
from genjax.nets.minibatch import GROUP, MINIBATCH, append_statistic
from genjax.nets.remat import maybe_remat
from genjax.nets.stylegan import layer_noise, stored_noise
from genjax.ops.modulated import modulated_conv
from genjax.ops.resample import SMOOTH, upfirdn2d
from genjax.ops.shared import per_example

CHANNELS = (512, 512, 512, 512, 512, 256, 128, 64, 32)
"""Channels of the stages 4, 8, ..., 1024 in config F; from 64 pixels on twice those of configs A to D."""


def activated(x, limit: float = 0.0):
    """Leaky ReLU times He's gain, which applies to biases too; kernels do not have it. Clamped if there is a limit."""
    return clamped(RELU_GAIN * leaky_relu(x), limit)


def clamped(x, limit: float):
    """Numbers beyond -limit and limit set to these; 0: no limit. Source: the code of arXiv:2006.06676."""
    return jnp.clip(x, -limit, limit) if limit else x


def check_clamp(net: str, limit: float) -> None:
    """Raises: InputError for a negative limit."""
    if not limit >= 0:
        raise InputError(f"{net}.conv_clamp={limit}: expected 0 (none) or more, such as 256")


class ModulatedConv(nn.Module):
    """A modulated convolution with the equalized learning rate, and the affine map from w to its style.

    Shapes: x [B, H, W, I], w [B, width] -> [B, H or 2H, W or 2W, features].
    """

    features: int
    kernel: int = 3
    demodulate: bool = True
    up: bool = False

    @nn.compact
    def __call__(self, x, w):
        """Apply the layer to maps x under styles w."""
        fan_in = self.kernel**2 * x.shape[-1]
        size = self.kernel, self.kernel, x.shape[-1], self.features
        kernel = self.param("kernel", nn.initializers.normal(1.0), size)
        style = Dense(x.shape[-1], gain=1.0, bias=1.0, name="style")(w)
        return modulated_conv(x, kernel / fan_in**0.5, style, self.demodulate, self.up)


class Layer(nn.Module):
    """A modulated convolution, noise (one scale for all channels), bias and leaky ReLU; odd layers double the sides.

    Shapes: x [B, H, W, I], w [B, width] -> [B, H or 2H, W or 2W, features].
    """

    features: int
    number: int
    stored_noise: bool = False
    conv_clamp: float = 0.0

    @nn.compact
    def __call__(self, x, w, noise):
        """Apply the layer to maps x under styles w, with the noise of `layer_noise`."""
        x = ModulatedConv(self.features, up=self.number % 2 == 1)(x, w)
        draws = layer_noise(noise, self.number, x, stored_noise(self, x))
        x = x + per_example(self.param("noise_scale", nn.initializers.zeros, ()), x) * draws
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return activated(x + per_example(bias, x), self.conv_clamp)


class ToRGB(nn.Module):
    """A stage's image: a modulated 1x1 convolution without demodulation. Shapes: [B, H, W, I] -> [..., C]."""

    colors: int
    conv_clamp: float = 0.0

    @nn.compact
    def __call__(self, x, w):
        """Colors of maps x under styles w."""
        x = ModulatedConv(self.colors, kernel=1, demodulate=False)(x, w)
        bias = self.param("bias", nn.initializers.zeros, (self.colors,))
        return clamped(x + per_example(bias, x), self.conv_clamp)


class Generator(Styled):
    """A generator: latents to w, one layer on constant 4x4 maps (or such), two per further stage, a sum of images.

    A stage's image shares its style with the first layer of the next stage, so there are 2 styles per stage. Fields and
    randomness in training are those of StyleGAN's generator; `conv_clamp` bounds the outputs of layers and images of
    stages by their absolute value, 0: none.

    Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, *shape].
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = CHANNELS
    width: int = 512
    layers: int = 8
    mixing: float = 0.9
    stored_noise: bool = False
    conv_clamp: float = 0.0
    output: str = "tanh"
    remat: bool = False

    CHOICES: ClassVar = {"output": ("tanh",)}

    def __post_init__(self):
        """Raises: InputError for a shape that the stages do not make."""
        super().__post_init__()
        check_stages("generator", self.shape, self.channels)
        check_clamp("generator", self.conv_clamp)

    def setup(self):
        """Create the layers of all stages."""
        start = start_size(self.shape, self.channels)
        self.mapping = Mapping(self.width, self.layers, gain=RELU_GAIN, embedding="separate")
        self.constant = self.param("constant", nn.initializers.normal(1.0), (*start, self.channels[0]))
        self.convs = [
            Layer(self.channels[(i + 1) // 2], i, self.stored_noise, self.conv_clamp)
            for i in range(2 * len(self.channels) - 1)
        ]
        self.to_rgb = [ToRGB(self.shape[2], self.conv_clamp) for _ in self.channels]

    def __call__(self, z, train: bool = False, class_onehot=None):
        """Images of latents z."""
        if not train:
            return self.synthesize(self.styles(self.map(z, class_onehot)))
        k_styles, k_noise = jax.random.split(self.make_rng("noise"))
        return self.synthesize(self.styles_in_training(z, k_styles, class_onehot), k_noise)

    def styles_in_training(self, z, key, class_onehot=None):
        """Mixed styles of latents. Shapes: z [B, latent] -> [B, 2 stages, width]."""
        count = 2 * len(self.channels)
        return self.mapping.styles_in_training(z, key, count, count, self.mixing, class_onehot)

    def synthesize(self, ws, noise=None):
        """The image of styles, with the noise of `layer_noise`. Shapes: ws [B, 2 stages, width] -> [B, *shape]."""
        x = jnp.broadcast_to(per_example(self.constant, ws), (ws.shape[0], *self.constant.shape))
        image = 0.0
        run = maybe_remat(self.remat, lambda layer, x, w: layer(x, w, noise))
        for number, layer in enumerate(self.convs):
            x = run(layer, x, ws[:, number])
            if number % 2 == 0:
                before = upfirdn2d(image, SMOOTH, up=2) if number else 0.0
                image = before + self.to_rgb[number // 2](x, ws[:, number + 1])
        return image


class Block(nn.Module):
    """A residual block: two convolutions, the second one filtered and of stride 2, and a filtered 1x1 shortcut.

    Without `residual` it has no shortcut, and nothing is divided by sqrt 2.

    Shapes: x [B, H, W, C] -> [B, H/2, W/2, features].
    """

    features: int
    conv_clamp: float = 0.0
    residual: bool = True

    @nn.compact
    def __call__(self, x):
        """Apply the block; the sum of its branches is divided by sqrt 2, which preserves the variance."""
        h = activated(Conv(x.shape[-1], gain=1.0)(x), self.conv_clamp)
        h = activated(Conv(self.features, gain=1.0, smooth=True)(h), self.conv_clamp)
        if not self.residual:
            return h
        skip = Conv(self.features, kernel=1, gain=1.0, use_bias=False, smooth=True)(x)
        return (h + skip) / 2**0.5


class Critic(nn.Module):
    """A critic: residual blocks down to the start, a statistic over the batch, a convolution and two dense layers.

    With classes the last layer has `channels[0]` features, and a logit is their product with w of the class, over the
    root of their number; w is that of a `mapping` of classes alone.

    Fields:
        channels: of the stages, the smallest first, as those of the generator.
        minibatch: a statistic over the batch that joins the smallest maps; "": none.
        minibatch_group: examples per group of that statistic.
        conv_clamp: bound of the absolute value of convolutions' activated outputs; 0: none.
        residual: False for blocks without shortcuts, "orig" in the authors' code (for CIFAR-10 in arXiv:2006.06676).
        layers: of the mapping from classes to w.
        remat: True to keep one map per block for the backward pass.

    Shapes: x [B, H, W, C], class_onehot [B, classes] or None -> [B].
    """

    channels: tuple[int, ...] = CHANNELS
    minibatch: str = "stddev"
    minibatch_group: int = GROUP
    conv_clamp: float = 0.0
    residual: bool = True
    layers: int = 8
    remat: bool = False

    CHOICES: ClassVar = {"minibatch": ("", *MINIBATCH)}

    def __post_init__(self):
        """Raises: InputError for a negative limit."""
        super().__post_init__()
        check_clamp("critic", self.conv_clamp)

    @nn.compact
    def __call__(self, x, train: bool = False, class_onehot=None):
        """Logits of images x, of a class each."""
        check_stages("critic", x.shape[1:], self.channels)
        x = activated(Conv(self.channels[-1], kernel=1, gain=1.0)(x), self.conv_clamp)
        run = maybe_remat(self.remat, lambda block, x: block(x))
        for features in self.channels[-2::-1]:
            x = run(Block(features, self.conv_clamp, self.residual), x)
        x = append_statistic(self.minibatch, x, self.minibatch_group)
        x = activated(Conv(self.channels[0], gain=1.0)(x), self.conv_clamp)
        x = activated(Dense(self.channels[0], gain=1.0)(x.reshape(len(x), -1)))
        if class_onehot is None:
            return Dense(1, gain=1.0)(x)[:, 0]
        width = self.channels[0]
        mapping = {"gain": RELU_GAIN, "embedding": "separate", "average": False, "name": "mapping"}
        w = Mapping(width, self.layers, **mapping)(None, class_onehot)
        return (Dense(width, gain=1.0)(x) * w).sum(1) / width**0.5
