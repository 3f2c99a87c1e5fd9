"""The residual generator and critic for 32x32 color images of the paper on spectral normalization.

Source: arXiv:1802.05957, table 4 and figure 8. As in the reimplementation that most comparisons use, maps are
upsampled bilinearly, kernels are uniform by Glorot's rule (times sqrt 2 before and within residual branches), and batch
normalization has momentum 0.9 and epsilon 1e-5. There: biases start at random; here: at zero. Shortcuts are computed
at the smaller of their two sizes, where a 1x1 convolution gives the same.
"""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.critic import CHOICES, append_class, critic_head
from genjax.nets.doubling import nearest_multiple
from genjax.nets.layers import INITIALIZERS, ConditionalBatchNorm, Conv, Dense
from genjax.nets.minibatch import GROUP
from genjax.ops.pool import average_pool
from genjax.ops.resample import bilinear2x

BRANCH = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")
SHORTCUT = INITIALIZERS["glorot"]


class Generator(nn.Module):
    """A generator: a dense layer to an eighth of the sides, three residual blocks that double them, one convolution.

    `conditioning` is "concat" (the class is concatenated with the latents) or "batch_norm" (each class has its own
    scales and offsets).
    Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, *shape] in the range of `output`.
    """

    shape: tuple[int, ...]
    width: int = 256
    output: str = "tanh"
    conditioning: str = "concat"

    CHOICES: ClassVar = {"conditioning": ("concat", "batch_norm"), "output": ("tanh",)}

    def __post_init__(self):
        """Raises: InputError for a shape that three blocks cannot make."""
        super().__post_init__()
        if len(self.shape) != 3 or self.shape[0] % 8 or self.shape[1] % 8:
            raise InputError(
                "the residual generator makes images [H, W, C] whose sides divide by 8, but the data have shape "
                f"{list(self.shape)}: set data.size, such as {nearest_multiple(self.shape, 8)}"
            )

    @nn.compact
    def __call__(self, z, train: bool = False, class_onehot=None):
        """Images of latents z; in training, normalize by the batch's statistics and update the running ones."""
        by_class = class_onehot is not None and self.conditioning == "batch_norm"

        def norm(x):
            constants = {"momentum": 0.9, "epsilon": 1e-5}
            if by_class:
                return ConditionalBatchNorm(**constants)(x, train, class_onehot)
            return nn.BatchNorm(not train, **constants)(x)

        height, width, colors = self.shape
        x = Dense(height // 8 * (width // 8) * self.width)(z if by_class else append_class(z, class_onehot))
        x = x.reshape(-1, height // 8, width // 8, self.width)
        for _ in range(3):
            h = Conv(self.width, kernel_init=BRANCH)(bilinear2x(nn.relu(norm(x))))
            h = Conv(self.width, kernel_init=BRANCH)(nn.relu(norm(h)))
            x = h + bilinear2x(Conv(self.width, (1, 1), kernel_init=SHORTCUT)(x))
        return jnp.tanh(Conv(colors)(nn.relu(norm(x))))


class Critic(nn.Module):
    """A critic: two residual blocks that halve the sides, two that do not, a sum over places (or a mean).

    Further fields: see `genjax.nets.critic.critic_head`.
    Shapes: x [B, H, W, C] with sides that divide by 4, class_onehot [B, classes] or None -> [B].
    """

    width: int = 128
    pooling: str = "sum"
    spectral: bool = True
    minibatch: str = ""
    minibatch_kernels: int = 50
    minibatch_group: int = GROUP
    conditioning: str = "concat"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = CHOICES | {"pooling": ("sum", "mean")}
    batch_norm: ClassVar[bool] = False

    @nn.compact
    def __call__(self, x, train: bool = False, class_onehot=None):
        """Logits of images x; `train` updates the vectors of spectral normalization. Raises: InputError for sides."""
        if x.shape[1] % 4 or x.shape[2] % 4:
            raise InputError(
                f"the residual critic halves sides twice, but the data have shape {list(x.shape[1:])}: set data.size, "
                f"such as {nearest_multiple(x.shape[1:], 4)}"
            )

        def conv(x, size, init, pool=False):
            return Conv(self.width, (size, size), kernel_init=init, spectral=self.spectral, pool=pool)(x, train)

        x = append_class(x, class_onehot) if self.conditioning == "concat" else x
        h = conv(nn.relu(conv(x, 3, BRANCH)), 3, BRANCH, pool=True)
        x = h + conv(average_pool(x), 1, SHORTCUT)
        for halves in (True, False, False):
            h = conv(nn.relu(conv(nn.relu(x), 3, BRANCH)), 3, BRANCH, pool=halves)
            x = h + conv(average_pool(x), 1, SHORTCUT) if halves else h + x
        x = nn.relu(x)
        return critic_head(self, x.sum((1, 2)) if self.pooling == "sum" else x.mean((1, 2)), train, class_onehot)
