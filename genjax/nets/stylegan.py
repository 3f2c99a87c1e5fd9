"""StyleGAN's generator: constant maps of 4x4 pixels, normalized and scaled by a style after each convolution.

The critic is ProGAN's, with bilinear resampling. Source: arXiv:1812.04948, section 2 and appendix C; open details
(where gains are one, epsilon, the order within a layer) follow its authors' code.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from genjax.nets.equalized import RELU_GAIN, Conv, Dense
from genjax.nets.mapping import Mapping, broadcast, leaky_relu
from genjax.nets.progan import blend, check_stages
from genjax.nets.remat import maybe_remat
from genjax.ops import noise as draw
from genjax.ops.resample import upfirdn2d, upsample2x


def layer_noise(noise, number: int, x):
    """The noise of a layer: drawn from a key, constant for None, and zero for False.

    Shapes: x [B, H, W, C] -> [B, H, W, 1] for a key, [1, H, W, 1] for None, [] for False.
    Authors' code: a constant drawn when the net is created; here: the same constant for all nets.
    """
    if noise is False:
        return jnp.zeros((), x.dtype)
    size = (*x.shape[1:3], 1)
    if noise is None:
        return jax.random.normal(jax.random.fold_in(jax.random.key(0), number), (1, *size)).astype(x.dtype)
    return draw.normal(jax.random.fold_in(noise, number), len(x), size).astype(x.dtype)


def adain(x, style):
    """Normalize each example's channels, scale them by 1 + the style's first half, and add its second half.

    Shapes: x [B, H, W, C], style [B, 2C] -> [B, H, W, C]. Source: eq. 1, with the 1e-8 of the authors' code.
    """
    scale, offset = jnp.split(style[:, None, None], 2, -1)
    x = x - x.mean((1, 2), keepdims=True)
    return x * lax.rsqrt((x**2).mean((1, 2), keepdims=True) + 1e-8) * (1 + scale) + offset


class Layer(nn.Module):
    """A convolution (except in the first layer), noise, bias, leaky ReLU, and a style; even layers double the sides.

    Shapes: x [B, H, W, I], w [B, width] -> [B, H or 2H, W or 2W, features].
    """

    features: int
    number: int
    noise: bool = True
    bilinear: bool = True

    @nn.compact
    def __call__(self, x, w, noise):
        """Apply the layer to maps x under styles w, with the noise of `layer_noise`."""
        doubles = self.number > 0 and self.number % 2 == 0
        if self.number:
            x = Conv(self.features, use_bias=False, enlarges=doubles)(x)
        x = upfirdn2d(x) if doubles and self.bilinear else x
        if self.noise:
            scale = self.param("noise_scale", nn.initializers.zeros, (self.features,))
            x = x + scale * layer_noise(noise, self.number, x)
        x = leaky_relu(x + self.param("bias", nn.initializers.zeros, (self.features,)))
        return adain(x, Dense(2 * self.features, gain=1.0, name="style")(w))


class Generator(nn.Module):
    """Latents to w to images: two layers per stage, each with its own style.

    `channels` are those of the stages; `width` and `layers` those of the mapping; `mixing` is the probability of
    training with the styles of two latents. Without `constant_input` the first maps are computed from w; without
    `noise` the image depends only on w; without `bilinear` upsampled maps are not filtered (table 1: D, E, B).
    `output` names the range of pixels ([-1, 1]); no activation is applied, as in the papers. `remat` keeps one map per
    layer for the backward pass.

    In training, styles are mixed and noise is drawn per example (stream "noise"); otherwise noise is constant.
    Shapes: z [B, latent] -> [B, side, side, C], side = 4 * 2**stage, or that of `shape`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    width: int = 512
    layers: int = 8
    mixing: float = 0.9
    constant_input: bool = True
    noise: bool = True
    bilinear: bool = True
    output: str = "tanh"
    remat: bool = False

    CHOICES: ClassVar = {"output": ("tanh",)}
    has_styles: ClassVar[bool] = True

    def __post_init__(self):
        """Raises: InputError for a shape that the stages do not produce."""
        super().__post_init__()
        check_stages("generator", self.shape, self.channels)

    def setup(self):
        """Create the layers of all stages."""
        first, switches = self.channels[0], {"noise": self.noise, "bilinear": self.bilinear}
        self.mapping = Mapping(self.width, self.layers)
        if self.constant_input:
            self.constant = self.param("constant", nn.initializers.ones, (4, 4, first))
        else:  # Authors' code: without bias; here: with the bias of equalized.Dense, before the layer's own.
            self.dense = Dense(16 * first, gain=RELU_GAIN / 4)
        self.convs = [Layer(self.channels[i // 2], i, **switches) for i in range(2 * len(self.channels))]
        self.to_rgb = [Conv(self.shape[2], kernel=1, gain=1.0) for _ in self.channels]

    def __call__(self, z, train: bool = False, class_onehot=None, stage: int | None = None, alpha=None):
        """The image of one stage; with `alpha`, blended with the upsampled image of the stage before."""
        if not train:
            return self.synthesize(self.styles(self.map(z)), stage, alpha)
        k_styles, k_noise = jax.random.split(self.make_rng("noise"))
        count = 2 * len(self.channels)
        used = count if stage is None else 2 * (stage + 1)
        ws = self.mapping.styles_in_training(z, k_styles, count, used, self.mixing)
        return self.synthesize(ws, stage, alpha, k_noise)

    def map(self, z):
        """Shapes: z [B, latent] -> w [B, width]."""
        return self.mapping(z)

    def styles(self, w):
        """One w for all layers. Shapes: [B, width] -> [B, 2 stages, width]."""
        return broadcast(w, 2 * len(self.channels))

    def truncate(self, ws, psi, cutoff: int | None = None):
        """Styles moved toward the average w; see `Mapping.truncate`."""
        return self.mapping.truncate(ws, psi, cutoff)

    def synthesize(self, ws, stage: int | None = None, alpha=None, noise=None):
        """The image of styles at a stage, blended by `alpha` as in `__call__`, with the noise of `layer_noise`.

        Shapes: ws [B, 2 stages, width] -> [B, side, side, C].
        """
        if self.is_initializing():
            self.partially_grown(ws, 0.0)  # so that all stages have their weights
        stage = len(self.channels) - 1 if stage is None else stage
        maps = self._maps(ws, stage, noise)
        rgb = self.to_rgb[stage](maps[stage])
        if stage == 0 or alpha is None:
            return rgb
        return blend(alpha, upsample2x(self.to_rgb[stage - 1](maps[stage - 1])), rgb)

    def partially_grown(self, ws, level, noise=None):
        """The full-sized image at a (traced) level s + a: stage s + 1, blended in by a."""
        image = None
        for i, x in enumerate(self._maps(ws, len(self.channels) - 1, noise)):
            new = self.to_rgb[i](x)
            image = new if i == 0 else blend(jnp.clip(level - i + 1, 0, 1), upsample2x(image), new)
        return image

    def _maps(self, ws, last, noise):
        """The maps of the stages 0 to `last`."""
        size, maps = (len(ws), 4, 4, self.channels[0]), []
        x = jnp.broadcast_to(self.constant, size) if self.constant_input else self.dense(ws[:, 0]).reshape(size)
        run = maybe_remat(self.remat, lambda layer, x, w: layer(x, w, noise))
        for number, layer in enumerate(self.convs[: 2 * (last + 1)]):
            x = run(layer, x, ws[:, number])
            maps += [x] * (number % 2)
        return maps
