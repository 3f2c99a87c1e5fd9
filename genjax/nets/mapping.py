"""StyleGAN's mapping network, and averaging, truncation and mixing of w.

Source: arXiv:1812.04948, sections 2 and 3.1, appendices B and C; open details follow its authors' code.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.nets.equalized import RELU_GAIN, Dense, pixel_norm
from genjax.nets.layers import ACTIVATIONS
from genjax.ops import noise

LR_MULTIPLIER = 0.01
"""Learning rate of the mapping relative to the rest of the generator (appendix C)."""

DECAY = 0.995
"""Decay of the running average of w, per batch."""

leaky_relu = ACTIVATIONS["leaky_relu"]


class Mapping(nn.Module):
    """Latents to w: normalized to length sqrt(latent), then dense layers with leaky ReLU.

    `gain` multiplies the activation, and the dense layers have the rest of He's gain. It is 1 in StyleGAN and sqrt 2 in
    StyleGAN2, where it multiplies biases as well. The average of w is in the collection "average" (float32).
    Shapes: z [B, latent] -> [B, width].
    """

    width: int = 512
    depth: int = 8
    gain: float = 1.0

    def setup(self):
        """The dense layers, and the average of w."""
        gain = RELU_GAIN / self.gain
        self.dense = [Dense(self.width, gain=gain, lr_multiplier=LR_MULTIPLIER) for _ in range(self.depth)]
        self.w_avg = self.variable("average", "w_avg", jnp.zeros, (self.width,), jnp.float32)

    def __call__(self, z):
        """Map latents z."""
        w = pixel_norm(z)
        for dense in self.dense:
            w = self.gain * leaky_relu(dense(w))
        return w

    def truncate(self, ws, psi, cutoff: int | None = None):
        """Interpolate from the average w to the styles by `psi`, in the first `cutoff` layers; exact at 0 and 1.

        Shapes: ws [B, layers, width] -> the same. Source: appendix B, w' = w_avg + psi (w - w_avg).
        """
        nearer = (1 - psi) * self.w_avg.value.astype(ws.dtype) + psi * ws
        return nearer if cutoff is None else jnp.where(jnp.arange(ws.shape[1])[:, None] < cutoff, nearer, ws)

    def styles_in_training(self, z, key, layers: int, used: int, mixing: float):
        """Styles of latents z, mixed with styles of other latents if `mixing`; updates the average by the mean w of z.

        Shapes: z [B, latent] -> [B, layers, width].
        """
        w = self(z)
        if self.is_mutable_collection("average") and not self.is_initializing():
            self.w_avg.value += (1 - DECAY) * (w.mean(0, dtype=jnp.float32) - self.w_avg.value)
        if not mixing:
            return broadcast(w, layers)
        k_z, k_cut = jax.random.split(key)
        others = self(noise.normal(k_z, len(z), z.shape[1:]).astype(z.dtype))
        return mixed(broadcast(w, layers), broadcast(others, layers), k_cut, mixing, used)


def broadcast(w, layers: int):
    """The same w as the style of every layer. Shapes: [B, width] -> [B, layers, width]."""
    return jnp.broadcast_to(w[:, None], (len(w), layers, w.shape[1]))


def mixed(ws, others, key, probability: float, used: int):
    """With `probability`, replace an example's styles by another's from a random layer on, one of 1 ... `used` - 1.

    Shapes: [B, layers, width] twice -> the same. Source: section 3.1.
    Authors' code: one choice for the whole batch; here: one per example, which does not depend on other examples.
    """
    draws, layers = noise.uniform(key, len(ws), (2,)), ws.shape[1]
    first = jnp.where(draws[:, 0] < probability, 1 + jnp.floor(draws[:, 1] * (used - 1)), layers)
    return jnp.where((jnp.arange(layers) < first[:, None])[:, :, None], ws, others)
