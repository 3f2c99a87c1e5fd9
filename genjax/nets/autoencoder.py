"""Autoencoders of dense layers: an encoder to latents and a decoder back, as two methods of one module.

Every autoencoder net, here and in the modules beside this one, has the methods and fields below. Tasks check them when
they are built (`genjax.nets.contracts`), also of a net that a config names as "package.module:name".

    encode(x, train)    examples [B, *shape] -> latents [B, ...]
    decode(z, train)    latents -> outputs [B, *shape] before the activation `output`: logits, if that is "sigmoid"
    shape               the shape of one example; the task sets it
    output              activation of the outputs, a name of `genjax.nets.layers.ACTIVATIONS`

For the task "vae":

    heads               the encoder gives heads * latent numbers; the task sets 2, for mean and log-variance
    latent_activation   activation of the encoder's last layer; the task sets "linear"
    latent              size of a latent, without its label
    label_input         how a label enters the encoder: "concat", behind the flat example, or "planes", as channels

For the task "vqvae": `latent`, the size of one vector of the map of latents.
Fields named `activation` are of the hidden layers.
"""

import math
from itertools import pairwise
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets import layers
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS
from genjax.ops.arrays import flatten
from genjax.ops.shared import matmul, per_example


def _need_latents(widths):
    if not widths:
        raise InputError("widths=(): expected at least one, the size of the latents")


class Dense(nn.Module):
    """Hidden layers down to the latents, whose size is the last width, and the same layers up again.

    Shapes: x [B, *shape] -> latents [B, heads * widths[-1]]; z [B, widths[-1]] -> [B, *shape] before `output`.
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (100, 30)
    activation: str = "selu"
    latent_activation: str = ""  # "": `activation`
    output: str = "sigmoid"
    heads: int = 1
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {
        "activation": ACTIVATIONS,
        "latent_activation": ("", *ACTIVATIONS),
        "output": ACTIVATIONS,
        "kernel_init": INITIALIZERS,
    }
    label_input: ClassVar[str] = "concat"

    @property
    def latent(self) -> int:
        """The size of a latent."""
        return self.widths[-1] if self.widths else 0

    def setup(self):
        """Make the layers, named as their parameters are. Raises: InputError without latents."""
        _need_latents(self.widths)
        init = INITIALIZERS[self.kernel_init]
        size = math.prod(self.shape)
        hidden = self.widths[:-1]
        down = (*hidden, self.heads * self.latent)
        up = (*reversed(hidden), size)
        self.down = [layers.Dense(width, kernel_init=init, name=f"encoder_{i}") for i, width in enumerate(down)]
        self.up = [layers.Dense(width, kernel_init=init, name=f"decoder_{i}") for i, width in enumerate(up)]

    def encode(self, x, train: bool = False):
        """Latents of examples x."""
        x = flatten(x)
        for layer in self.down[:-1]:
            x = ACTIVATIONS[self.activation](layer(x))
        return ACTIVATIONS[self.latent_activation or self.activation](self.down[-1](x))

    def decode(self, z, train: bool = False):
        """Examples of latents z, before the activation `output`."""
        for layer in self.up[:-1]:
            z = ACTIVATIONS[self.activation](layer(z))
        return self.up[-1](z).reshape(-1, *self.shape)

    def __call__(self, x, train: bool = False):
        """Outputs for the examples x: `decode` of `encode`."""
        return self.decode(self.encode(x, train), train)


class Tied(nn.Module):
    """As `Dense`, but the decoder's kernels are the encoder's, transposed; the decoder has its own biases.

    Shapes: x [B, *shape] -> latents [B, widths[-1]]; z [B, widths[-1]] -> [B, *shape] before `output`.
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (100, 30)
    activation: str = "selu"
    output: str = "sigmoid"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {"activation": ACTIVATIONS, "output": ACTIVATIONS, "kernel_init": INITIALIZERS}

    def setup(self):
        """Make the kernels, and the biases of both directions. Raises: InputError without latents."""
        _need_latents(self.widths)
        sizes = (math.prod(self.shape), *self.widths)
        init = INITIALIZERS[self.kernel_init]
        zeros = nn.initializers.zeros
        pairs = list(enumerate(pairwise(sizes)))
        self.kernels = [self.param(f"kernel_{i}", init, pair) for i, pair in pairs]
        self.down = [self.param(f"encoder_bias_{i}", zeros, (pair[1],)) for i, pair in pairs]
        self.up = [self.param(f"decoder_bias_{i}", zeros, (pair[0],)) for i, pair in pairs]

    def encode(self, x, train: bool = False):
        """Latents of examples x."""
        x = flatten(x)
        for kernel, bias in zip(self.kernels, self.down, strict=True):
            x = ACTIVATIONS[self.activation](matmul(x, kernel) + per_example(bias, x))
        return x

    def decode(self, z, train: bool = False):
        """Examples of latents z, before the activation `output`."""
        for i in reversed(range(len(self.kernels))):
            z = matmul(z, self.kernels[i].T) + per_example(self.up[i], z)
            z = ACTIVATIONS[self.activation](z) if i else z
        return jnp.reshape(z, (-1, *self.shape))

    def __call__(self, x, train: bool = False):
        """Outputs for the examples x: `decode` of `encode`."""
        return self.decode(self.encode(x, train), train)
