"""Fully connected generator and critic, as in the first GAN."""

import math
from typing import ClassVar

import flax.linen as nn

from genjax.nets.critic import CHOICES, append_class, critic_head
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Dense, batch_norm
from genjax.nets.minibatch import GROUP
from genjax.ops.arrays import flatten


class Generator(nn.Module):
    """A generator of hidden layers; the class is concatenated with the latents.

    `batch_norm` normalizes before each hidden activation.
    Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, *shape], in the range of `output`.
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (100, 150)
    activation: str = "selu"
    output: str = "sigmoid"
    batch_norm: bool = False
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {"activation": ACTIVATIONS, "output": ACTIVATIONS, "kernel_init": INITIALIZERS}
    conditioning: ClassVar[str] = "concat"

    @nn.compact
    def __call__(self, z, train: bool = False, class_onehot=None):
        """Examples of latents z; `train` is for batch normalization alone."""
        z = append_class(z, class_onehot)
        for width in self.widths:
            z = Dense(width, kernel_init=INITIALIZERS[self.kernel_init])(z)
            z = ACTIVATIONS[self.activation](batch_norm(z, train) if self.batch_norm else z)
        x = Dense(math.prod(self.shape), kernel_init=INITIALIZERS[self.kernel_init])(z)
        return ACTIVATIONS[self.output](x).reshape(-1, *self.shape)


class Critic(nn.Module):
    """A critic of hidden layers. Further fields: see `genjax.nets.critic.critic_head`.

    Shapes: x [B, ...], class_onehot [B, classes] or None -> [B].
    """

    widths: tuple[int, ...] = (150, 100)
    activation: str = "selu"
    spectral: bool = False
    minibatch: str = ""
    minibatch_kernels: int = 50
    minibatch_group: int = GROUP
    conditioning: str = "concat"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = CHOICES | {"activation": ACTIVATIONS}
    batch_norm: ClassVar[bool] = False

    @nn.compact
    def __call__(self, x, train: bool = False, class_onehot=None):
        """Logits of examples x; `train` updates the vectors of spectral normalization."""
        x = flatten(x)
        x = append_class(x, class_onehot) if self.conditioning == "concat" else x
        for width in self.widths:
            layer = Dense(width, kernel_init=INITIALIZERS[self.kernel_init], spectral=self.spectral)
            x = ACTIVATIONS[self.activation](layer(x, train))
        return critic_head(self, x, train, class_onehot)
