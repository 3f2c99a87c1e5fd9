"""The recurrent autoencoder: LSTMs encode a series in one vector, and LSTMs decode it into a series.

`encode` and `decode` are as in `genjax.nets.autoencoder`. Series may have different lengths; see `genjax.ops.padding`.
"""

import math
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS
from genjax.nets.lstm import LSTM
from genjax.ops import padding


class Recurrent(nn.Module):
    """LSTMs of `widths`, whose last state is the latents; LSTMs of the other widths back; a dense layer for each step.

    The rows of an image are its steps. The decoder's input is the latents, at every step. It does not depend on the
    length of the series: it outputs all steps of `shape`, and no step depends on later ones.
    Shapes: x [B, T, F] (or images [B, H, W, C]: T = H, F = W C) -> latents [B, widths[-1]] -> [B, *shape] before
    `output`.
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (100, 30)
    output: str = "sigmoid"
    kernel_init: str = "glorot"

    CHOICES: ClassVar = {"output": ACTIVATIONS, "kernel_init": INITIALIZERS}

    def setup(self):
        """Create the layers. Raises: InputError for points, and for fewer than two widths."""
        if len(self.shape) < 2 or len(self.widths) < 2:
            raise InputError(
                f"examples of shape {list(self.shape)} with widths={self.widths}: expected series [steps, numbers] or "
                "images, and at least two widths, of an LSTM that reads and one that writes beside the latents'"
            )
        init = INITIALIZERS[self.kernel_init]
        self.down = [LSTM(width, init, name=f"encoder_{i}") for i, width in enumerate(self.widths)]
        self.up = [LSTM(width, init, name=f"decoder_{i}") for i, width in enumerate(self.widths[-2::-1])]
        self.head = nn.Dense(math.prod(self.shape[1:]), kernel_init=init, name="head")

    def encode(self, x, train: bool = False):
        """Latents of series x, whose padding is NaN."""
        x = x.reshape(*x.shape[:2], -1)
        real = padding.valid_mask(x) if len(self.shape) == 2 else None  # images have no padding and need no mask
        x = x if real is None else jnp.where(real[..., None], x, 0)
        for layer in self.down:
            x = layer(x, real)
        return x[:, -1]

    def decode(self, z, train: bool = False):
        """Series of latents z, before the output's activation."""
        x = self.up[0](z, repeat=self.shape[0])
        for layer in self.up[1:]:
            x = layer(x)
        return self.head(x).reshape(-1, *self.shape)

    def __call__(self, x, train: bool = False):
        """Reconstructions of series x, before the output's activation."""
        return self.decode(self.encode(x, train), train)
