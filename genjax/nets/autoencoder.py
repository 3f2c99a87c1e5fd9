"""Autoencoders of dense layers: an encoder to latents and a decoder back, as two methods of one module.

Every autoencoder has these two methods: `encode(x, train)` maps examples to latents, and `decode(z, train)` maps
latents to examples before the activation `output` (to logits if that is "sigmoid"). The output of the encoder has
`heads` x latent units: two heads are the mean and the log-variance of a variational autoencoder.
"""

import math
from itertools import pairwise
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS
from genjax.ops.arrays import flatten


def _need_latents(widths):
    if not widths:
        raise InputError("widths=(): expected at least one, the latents'")


class Dense(nn.Module):
    """Hidden layers down to the last width, which is that of the latents, and the mirrored layers back.

    Shapes: x [B, *shape] -> latents [B, heads * widths[-1]]; z [B, widths[-1]] -> [B, *shape] before `output`.
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (100, 30)
    activation: str = "selu"
    latents: str = ""  # activation of the latents; "": that of the other layers
    output: str = "sigmoid"
    heads: int = 1
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {
        "activation": ACTIVATIONS,
        "latents": ("", *ACTIVATIONS),
        "output": ACTIVATIONS,
        "kernel_init": INITIALIZERS,
    }

    def setup(self):
        """Create the layers. Raises: InputError without latents."""
        _need_latents(self.widths)
        init, size = INITIALIZERS[self.kernel_init], math.prod(self.shape)
        *hidden, latents = self.widths
        down, up = (*hidden, self.heads * latents), (*reversed(hidden), size)
        self.down = [nn.Dense(width, kernel_init=init, name=f"encoder_{i}") for i, width in enumerate(down)]
        self.up = [nn.Dense(width, kernel_init=init, name=f"decoder_{i}") for i, width in enumerate(up)]

    def encode(self, x, train: bool = False):
        """Latents of examples x."""
        x = flatten(x)
        for layer in self.down[:-1]:
            x = ACTIVATIONS[self.activation](layer(x))
        return ACTIVATIONS[self.latents or self.activation](self.down[-1](x))

    def decode(self, z, train: bool = False):
        """Examples of latents z, before the output's activation."""
        for layer in self.up[:-1]:
            z = ACTIVATIONS[self.activation](layer(z))
        return self.up[-1](z).reshape(-1, *self.shape)

    def __call__(self, x, train: bool = False):
        """Reconstructions of examples x, before the output's activation."""
        return self.decode(self.encode(x, train), train)


class Tied(nn.Module):
    """`Dense` with tied weights: the decoder's kernels are the encoder's transposed; its biases are separate.

    The gradient of each kernel is the sum over its two uses.
    Shapes: x [B, *shape] -> latents [B, widths[-1]]; z [B, widths[-1]] -> [B, *shape] before `output`.
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (100, 30)
    activation: str = "selu"
    output: str = "sigmoid"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {"activation": ACTIVATIONS, "output": ACTIVATIONS, "kernel_init": INITIALIZERS}

    def setup(self):
        """Create the kernels, and the biases of both directions. Raises: InputError without latents."""
        _need_latents(self.widths)
        sizes = (math.prod(self.shape), *self.widths)
        init, zeros = INITIALIZERS[self.kernel_init], nn.initializers.zeros
        pairs = list(enumerate(pairwise(sizes)))
        self.kernels = [self.param(f"kernel_{i}", init, pair) for i, pair in pairs]
        self.down = [self.param(f"encoder_bias_{i}", zeros, (pair[1],)) for i, pair in pairs]
        self.up = [self.param(f"decoder_bias_{i}", zeros, (pair[0],)) for i, pair in pairs]

    def encode(self, x, train: bool = False):
        """Latents of examples x."""
        x = flatten(x)
        for kernel, bias in zip(self.kernels, self.down, strict=True):
            x = ACTIVATIONS[self.activation](x @ kernel + bias)
        return x

    def decode(self, z, train: bool = False):
        """Examples of latents z, before the output's activation."""
        for i in reversed(range(len(self.kernels))):
            z = z @ self.kernels[i].T + self.up[i]
            z = ACTIVATIONS[self.activation](z) if i else z
        return jnp.reshape(z, (-1, *self.shape))

    def __call__(self, x, train: bool = False):
        """Reconstructions of examples x, before the output's activation."""
        return self.decode(self.encode(x, train), train)
