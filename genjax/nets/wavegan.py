"""WaveGAN: the DCGAN of sound, with convolutions along time that change its length by 4, and phase shuffle.

Source: arXiv:1802.04208, tables 3 and 4 and section 3.3, and its authors' code.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.critic import append_class, sow
from genjax.nets.layers import ACTIVATIONS, Conv, ConvTranspose, Dense
from genjax.ops.arrays import flatten

STRIDE = 4


class Generator(nn.Module):
    """A dense layer of twice the first channels, then a transposed convolution for each of `channels` and the last one.

    The authors' latents are uniform on (-1, 1): those here are normal, and are mapped by their distribution function.
    `filter` is the length of a last convolution without bias, learned post-processing; 0, as by default there: none.
    Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, T, F] from -1 to 1 before the filter; T is a
    multiple of 4 to the power of the number of layers.
    """

    shape: tuple[int, ...]
    channels: tuple[int, ...] = (512, 256, 128, 64)
    kernel: int = 25
    filter: int = 0

    output: ClassVar[str] = "linear"  # series are not scaled
    conditioning: ClassVar[str] = "concat"

    @nn.compact
    def __call__(self, z, train: bool = False, class_onehot=None):
        """Sound of latents z. Raises: InputError for examples that are no series, or of a length that does not fit."""
        factor = STRIDE ** (len(self.channels) + 1)
        if len(self.shape) != 2 or self.shape[0] % factor:
            raise InputError(
                f"WaveGAN's generator makes series [steps, numbers] of a multiple of {factor} steps, not "
                f"{list(self.shape)}: set data.size, such as {factor * max(1, round(self.shape[0] / factor))}"
            )
        x = append_class(jax.scipy.special.erf(z / jnp.sqrt(2.0)), class_onehot)
        steps = self.shape[0] // factor
        x = nn.relu(Dense(steps * 2 * self.channels[0], name="project")(x))
        x = x.reshape(len(x), steps, 1, 2 * self.channels[0])
        layer = {"kernel_size": (self.kernel, 1), "strides": (STRIDE, 1)}
        for number, channels in enumerate(self.channels):
            x = nn.relu(ConvTranspose(channels, **layer, name=f"up_{number}")(x))
        x = jnp.tanh(ConvTranspose(self.shape[1], **layer, name=f"up_{len(self.channels)}")(x))
        if self.filter:
            x = Conv(self.shape[1], (self.filter, 1), use_bias=False, name="filter")(x)
        return x[:, :, 0]


class Critic(nn.Module):
    """A convolution of stride 4 for each of `channels`, with phase shuffle between them, and one dense layer.

    Shapes: x [B, T, F], class_onehot [B, classes] or None -> [B].
    """

    channels: tuple[int, ...] = (64, 128, 256, 512, 1024)
    kernel: int = 25
    shuffle: int = 2  # the largest shift of phase shuffle, n; 0: none

    minibatch: ClassVar[str] = ""
    batch_norm: ClassVar[bool] = False
    conditioning: ClassVar[str] = "concat"

    @nn.compact
    def __call__(self, x, train: bool = False, class_onehot=None):
        """Logits of series x; training with phase shuffle needs a random stream "dropout"."""
        if x.ndim != 3:
            raise InputError(f"WaveGAN's critic takes series [steps, numbers], not {list(x.shape[1:])}")
        x = append_class(x, class_onehot)
        for number, channels in enumerate(self.channels):
            layer = Conv(channels, (self.kernel, 1), (STRIDE, 1), name=f"down_{number}")
            x = ACTIVATIONS["leaky_relu"](layer(x[:, :, None])[:, :, 0])
            if train and self.shuffle and number < len(self.channels) - 1:
                x = phase_shuffle(x, self.make_rng("dropout"), self.shuffle)
        x = flatten(x)
        sow(self, "features", x)
        return Dense(1, name="head")(x)[:, 0]


def phase_shuffle(x, key, most: int):
    """Series shifted by one number of steps from -most to most; what is missing is reflected at the end.

    Source: arXiv:1802.04208, section 3.3; one shift for a batch, as in the authors' code. Shapes: x [B, T, C], kept.
    """
    if x.shape[1] <= most:
        raise InputError(f"critic.shuffle={most}: expected less than the {x.shape[1]} steps of the critic's maps")
    shift = jax.random.randint(key, (), -most, most + 1)
    last = x.shape[1] - 1
    index = jnp.abs(jnp.arange(x.shape[1]) - shift)
    return jnp.take(x, jnp.where(index > last, 2 * last - index, index), axis=1)
