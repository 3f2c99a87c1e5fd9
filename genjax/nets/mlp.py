"""Fully connected generator and critic: the first GAN."""

import math

import flax.linen as nn

from genjax.nets.layers import ACTIVATIONS, INITIALISERS, flatten


class Generator(nn.Module):
    """Latents to images or points through hidden layers of the given widths.

    Shapes: z [B, latent] -> [B, *shape], in the range of `output` ("sigmoid", "tanh", "linear").
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (100, 150)
    activation: str = "selu"
    output: str = "sigmoid"
    kernel_init: str = "glorot"

    @nn.compact
    def __call__(self, z, train: bool = False):
        """Generate from latents z; `train` changes nothing here."""
        for width in self.widths:
            z = ACTIVATIONS[self.activation](nn.Dense(width, kernel_init=INITIALISERS[self.kernel_init])(z))
        x = nn.Dense(math.prod(self.shape), kernel_init=INITIALISERS[self.kernel_init])(z)
        return ACTIVATIONS[self.output](x).reshape(-1, *self.shape)


class Critic(nn.Module):
    """Images or points to one logit each. Shapes: x [B, ...] -> [B]."""

    widths: tuple[int, ...] = (150, 100)
    activation: str = "selu"
    kernel_init: str = "glorot"

    @nn.compact
    def __call__(self, x, train: bool = False):
        """Judge examples x; `train` changes nothing here."""
        x = flatten(x)
        for width in self.widths:
            x = ACTIVATIONS[self.activation](nn.Dense(width, kernel_init=INITIALISERS[self.kernel_init])(x))
        return nn.Dense(1, kernel_init=INITIALISERS[self.kernel_init])(x)[:, 0]
