"""StyleGAN's generator: a constant of 4x4 pixels (or such), and maps normalized and styled after each convolution.

Its critic is ProGAN's, with bilinear sampling. Source: arXiv:1812.04948, section 2 and appendix C. Details that these
leave open (which gains are one, epsilon, the order within a layer) are as in its authors' code.
"""

from math import prod
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from genjax.nets.doubling import check_stages, start_size
from genjax.nets.equalized import RELU_GAIN, Conv, Dense
from genjax.nets.mapping import Mapping, Styled, leaky_relu
from genjax.nets.progan import blend
from genjax.nets.remat import maybe_remat
from genjax.ops import backend
from genjax.ops.noise import normal
from genjax.ops.resample import upfirdn2d, upsample2x
from genjax.ops.shared import per_example, sum_type


def layer_noise(noise, number: int, x, constant=None):
    """The noise of layer `number`: drawn from a key, or from a key per example; constant for None, zero for False.

    `constant` is the constant noise [1, H, W, 1]; None: that of `constant_noise`.

    Shapes: x [B, H, W, C] -> [B, H, W, 1], of a constant [1, H, W, 1], of zero [].
    """
    if noise is False:
        return jnp.zeros((), x.dtype)
    size = (*x.shape[1:3], 1)
    if noise is None:
        return (constant_noise(number, size) if constant is None else constant).astype(x.dtype)
    if noise.ndim:
        draws = jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, number), size))(noise)
        return draws.astype(x.dtype)
    return normal(jax.random.fold_in(noise, number), len(x), size).astype(x.dtype)


def constant_noise(number: int, size: tuple[int, ...]):
    """The constant noise of layer `number`. Shapes: size [H, W, 1] -> [1, H, W, 1].

    Authors' code: it is drawn when the net is made; here: it is the same for all nets.
    """
    with backend.constants():
        return jax.random.normal(jax.random.fold_in(jax.random.key(0), number), (1, *size))


def stored_noise(module: nn.Module, x):
    """The constant noise of a layer for maps x in the collection "noise", if its field `stored_noise` asks for it.

    Shapes: x [B, H, W, C] -> [1, H, W, 1] or None.
    """
    if not module.stored_noise:
        return None
    return module.variable("noise", "constant", constant_noise, module.number, (*x.shape[1:3], 1)).value


def apply_style(x, style):
    """Adaptive instance normalization: each example's channels normalized, then scaled and offset by a style.

    The scale is 1 plus the first half of the style, the offset is its second half.

    Shapes: x [B, H, W, C], style [B, 2C] -> [B, H, W, C]. Source: eq. 1, with the 1e-8 of the authors' code.
    """
    dtype, of_sums = x.dtype, sum_type(x)
    x = x.astype(of_sums)
    scale, offset = jnp.split(style.astype(of_sums)[:, None, None], 2, -1)
    x = x - x.mean((1, 2), keepdims=True)
    return (x * lax.rsqrt((x**2).mean((1, 2), keepdims=True) + 1e-8) * (1 + scale) + offset).astype(dtype)


class Layer(nn.Module):
    """A convolution (except in layer 0), noise, bias, leaky ReLU, and a style; layers 2, 4, ... double the sides.

    Shapes: x [B, H, W, I], w [B, width] -> [B, H or 2H, W or 2W, features].
    """

    features: int
    number: int
    noise: bool = True
    bilinear: bool = True
    stored_noise: bool = False

    @nn.compact
    def __call__(self, x, w, noise):
        """Apply the layer to maps x under styles w, with the noise of `layer_noise`."""
        doubles = self.number > 0 and self.number % 2 == 0
        if self.number:
            x = Conv(self.features, use_bias=False, upsample=doubles)(x)
        x = upfirdn2d(x) if doubles and self.bilinear else x
        if self.noise:
            scale = self.param("noise_scale", nn.initializers.zeros, (self.features,))
            x = x + per_example(scale, x) * layer_noise(noise, self.number, x, stored_noise(self, x))
        x = leaky_relu(x + per_example(self.param("bias", nn.initializers.zeros, (self.features,)), x))
        return apply_style(x, Dense(2 * self.features, gain=1.0, name="style")(w))


class Generator(Styled):
    """A generator: latents to w, then two layers per stage, each with a style of its own.

    In training styles are mixed and each example has its own noise (stream "noise"); otherwise noise is constant.

    Fields:
        channels: of each stage.
        width, layers: of the mapping from latents to w.
        mixing: the probability that a training example has the styles of two latents.
        constant_input: False to make the first maps from w (table 1, before D).
        noise: False for layers without noise (table 1, before E).
        bilinear: False to leave upsampled maps unfiltered (table 1, before B).
        stored_noise: True to keep constant noise in a collection "noise", so that weights can bring their own.
        output: the range of pixels, [-1, 1]; no activation is applied, as in the papers.
        remat: True to keep one map per layer for the backward pass.

    Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, h * 2**stage, w * 2**stage, C] from the start
    (h, w); without a stage, that of `shape`.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (512, 512, 512, 512, 256, 128, 64, 32, 16)
    width: int = 512
    layers: int = 8
    mixing: float = 0.9
    constant_input: bool = True
    noise: bool = True
    bilinear: bool = True
    stored_noise: bool = False
    output: str = "tanh"
    remat: bool = False

    CHOICES: ClassVar = {"output": ("tanh",)}
    has_styles: ClassVar[bool] = True

    def __post_init__(self):
        """Raises: InputError for a shape that the stages do not make."""
        super().__post_init__()
        check_stages("generator", self.shape, self.channels)

    def setup(self):
        """Create the layers of all stages."""
        first = self.channels[0]
        options = {name: getattr(self, name) for name in ("noise", "bilinear", "stored_noise")}
        self.start = start_size(self.shape, self.channels)
        self.mapping = Mapping(self.width, self.layers)
        if self.constant_input:
            self.constant = self.param("constant", nn.initializers.ones, (*self.start, first))
        else:  # Authors' code: without bias; here: with the bias of equalized.Dense, before that of the layer.
            places = prod(self.start)
            self.dense = Dense(places * first, gain=RELU_GAIN / places**0.5)
        self.convs = [Layer(self.channels[i // 2], i, **options) for i in range(2 * len(self.channels))]
        self.to_rgb = [Conv(self.shape[2], kernel=1, gain=1.0) for _ in self.channels]

    def __call__(self, z, train: bool = False, class_onehot=None, stage: int | None = None, alpha=None):
        """The image of a stage, blended by `alpha` with the upsampled image of the stage before."""
        if not train:
            return self.synthesize(self.styles(self.map(z, class_onehot)), stage, alpha)
        k_styles, k_noise = jax.random.split(self.make_rng("noise"))
        count = 2 * len(self.channels)
        used = count if stage is None else 2 * (stage + 1)
        ws = self.mapping.styles_in_training(z, k_styles, count, used, self.mixing, class_onehot)
        return self.synthesize(ws, stage, alpha, k_noise)

    def synthesize(self, ws, stage: int | None = None, alpha=None, noise=None):
        """The image of styles, with `stage` and `alpha` as in a call, and `noise` as in `layer_noise`.

        Shapes: ws [B, 2 stages, width] -> [B, H, W, C] of the stage.
        """
        if self.is_initializing():
            self.partially_grown(ws, 0.0)  # creates the weights of all stages
        stage = len(self.channels) - 1 if stage is None else stage
        maps = self._maps(ws, stage, noise)
        rgb = self.to_rgb[stage](maps[stage])
        if stage == 0 or alpha is None:
            return rgb
        return blend(alpha, upsample2x(self.to_rgb[stage - 1](maps[stage - 1])), rgb)

    def partially_grown(self, ws, level, noise=None):
        """The full-sized image at a (traced) level: s + alpha is stage s + 1, blended in by alpha."""
        image = None
        for i, x in enumerate(self._maps(ws, len(self.channels) - 1, noise)):
            new = self.to_rgb[i](x)
            image = new if i == 0 else blend(jnp.clip(level - i + 1, 0, 1), upsample2x(image), new)
        return image

    def _maps(self, ws, last, noise):
        """The maps of stages 0 to `last`."""
        size = (ws.shape[0], *self.start, self.channels[0])
        if self.constant_input:
            x = jnp.broadcast_to(per_example(self.constant, ws), size)
        else:
            x = self.dense(ws[:, 0]).reshape(size)
        run = maybe_remat(self.remat, lambda layer, x, w: layer(x, w, noise))
        maps = []
        for number, layer in enumerate(self.convs[: 2 * (last + 1)]):
            x = run(layer, x, ws[:, number])
            if number % 2:
                maps.append(x)
        return maps
