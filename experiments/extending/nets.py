"""A generator of sine layers and a critic of maxout units, for points."""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp


class SineGenerator(nn.Module):
    """Latents to points through hidden layers of sines. Source: arXiv:2006.09661, eq. 3.

    Shapes: z [B, latent] -> [B, *shape].
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...] = (64, 64)
    frequency: float = 3.0
    output: str = "linear"

    conditioning: ClassVar[str] = "concat"
    CHOICES: ClassVar = {"output": ("linear",)}

    @nn.compact
    def __call__(self, z, train: bool = False, class_onehot=None):
        """Generate from latents z."""
        for width in self.widths:
            z = jnp.sin(self.frequency * nn.Dense(width)(z))
        return nn.Dense(self.shape[0])(z)


class MaxoutCritic(nn.Module):
    """Points to one logit each, through layers whose units are the largest of `pieces` linear functions.

    Source: arXiv:1302.4389, section 2; the critic of arXiv:1406.2661, section 5.
    Shapes: x [B, D] -> [B].
    """

    widths: tuple[int, ...] = (64, 64)
    pieces: int = 3

    conditioning: ClassVar[str] = "concat"
    minibatch: ClassVar[str] = ""
    batch_norm: ClassVar[bool] = False

    @nn.compact
    def __call__(self, x, train: bool = False, class_onehot=None):
        """The logits of points x."""
        for width in self.widths:
            x = nn.Dense(width * self.pieces)(x).reshape(len(x), width, self.pieces).max(-1)
        return nn.Dense(1)(x)[:, 0]
