"""The recurrent autoencoder: LSTMs encode a series as one vector, from which LSTMs write a series.

Fields and methods are as `genjax.nets.autoencoder` describes them. Series may have unequal lengths; see
`genjax.ops.padding`.
"""

import math
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Dense
from genjax.nets.lstm import LSTM
from genjax.ops import padding


class Recurrent(nn.Module):
    """LSTMs of `widths`, whose last state is the latent; LSTMs of the other widths back; one dense layer per step.

    The rows of an image are its steps. The decoder's input is the latent at every step, and never the length of a
    series: it writes all steps of `shape`, of which the first ones do not depend on the later ones.
    Shapes: x [B, T, F] (or images [B, H, W, C]: T = H, F = W C) -> latents [B, widths[-1]] -> [B, *shape] before
    `output`.
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (100, 30)
    output: str = "sigmoid"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {"output": ACTIVATIONS, "kernel_init": INITIALIZERS}

    def setup(self):
        """Make the layers, named as their parameters are. Raises: InputError for points and for one width."""
        if len(self.shape) < 2 or len(self.widths) < 2:
            raise InputError(
                f"examples of shape {list(self.shape)} with widths={self.widths}: expected series [steps, numbers] or "
                "images, and at least two widths, the last of which is the size of the latents"
            )
        init = INITIALIZERS[self.kernel_init]
        self.down = [LSTM(width, init, name=f"encoder_{i}") for i, width in enumerate(self.widths)]
        self.up = [LSTM(width, init, name=f"decoder_{i}") for i, width in enumerate(self.widths[-2::-1])]
        self.head = Dense(math.prod(self.shape[1:]), kernel_init=init, name="head")

    def encode(self, x, train: bool = False):
        """Latents of series x, whose padding is NaN."""
        x = x.reshape(*x.shape[:2], -1)
        valid = padding.valid_mask(x) if len(self.shape) == 2 else None  # images have no padding
        x = x if valid is None else jnp.where(valid[..., None], x, 0)
        for layer in self.down:
            x = layer(x, valid)
        return x[:, -1]

    def decode(self, z, train: bool = False):
        """Series of latents z, before the activation `output`."""
        x = self.up[0](z, repeat=self.shape[0])
        for layer in self.up[1:]:
            x = layer(x)
        return self.head(x).reshape(-1, *self.shape)

    def __call__(self, x, train: bool = False):
        """Outputs for the series x: `decode` of `encode`."""
        return self.decode(self.encode(x, train), train)
