"""StyleGAN's mapping network from latents, and classes if there are any, to w; averaging, truncation and mixing of w.

Source: arXiv:1812.04948, sections 2 and 3.1, appendices B and C; details that these leave open, such as classes, are
as in its authors' code, and in that of arXiv:2006.06676 for StyleGAN2.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.nets import layers
from genjax.nets.equalized import RELU_GAIN, Dense, pixel_norm
from genjax.nets.layers import ACTIVATIONS
from genjax.ops import noise

LR_MULTIPLIER = 0.01
"""The mapping's learning rate relative to the rest of the generator (appendix C)."""

DECAY = 0.995
"""Decay of the running average of w per batch."""

leaky_relu = ACTIVATIONS["leaky_relu"]


class Mapping(nn.Module):
    """Latents to w: normalized to length sqrt(latent), then dense layers with leaky ReLU.

    With classes, latents are followed by an embedding of the class, a learned vector of `width` numbers.

    Fields:
        width: of w.
        depth: number of dense layers.
        gain: multiplies the activation, and the dense layers have the rest of He's gain. It is 1 in StyleGAN, and
            sqrt 2 in StyleGAN2, where it applies to biases too.
        embedding: how a class is embedded. "joint", StyleGAN's: a matrix product, and one normalization of latents and
            embedding together; "separate", StyleGAN2's: an equalized dense layer, and a normalization of each.
        average: True for a running average of w over all classes, in the collection "average" (float32).

    Shapes: z [B, latent] or None, class_onehot [B, classes] or None, not both None -> [B, width].
    """

    width: int = 512
    depth: int = 8
    gain: float = 1.0
    embedding: str = "joint"
    average: bool = True

    def setup(self):
        """Create the dense layers and the average of w."""
        gain = RELU_GAIN / self.gain
        self.dense = [Dense(self.width, gain=gain, lr_multiplier=LR_MULTIPLIER) for _ in range(self.depth)]
        if self.embedding == "joint":
            self.embed = layers.Dense(self.width, use_bias=False, kernel_init=nn.initializers.normal(1.0))
        else:
            self.embed = Dense(self.width, gain=1.0)
        if self.average:
            self.w_avg = self.variable("average", "w_avg", jnp.zeros, (self.width,), jnp.float32)

    def __call__(self, z, class_onehot=None):
        """w of latents z and classes."""
        parts = [] if z is None else [z]
        parts += [] if class_onehot is None else [self.embed(class_onehot)]
        if self.embedding == "joint":
            w = pixel_norm(jnp.concatenate(parts, 1))
        else:
            w = jnp.concatenate([pixel_norm(part) for part in parts], 1)
        for dense in self.dense:
            w = self.gain * leaky_relu(dense(w))
        return w

    def truncate(self, ws, psi, cutoff: int | None = None):
        """Styles scaled by `psi` around the average w, in the first `cutoff` layers (None: all); exact at 0 and 1.

        Shapes: ws [B, layers, width] -> the same. Source: appendix B, w' = w_avg + psi (w - w_avg).
        """
        truncated = (1 - psi) * self.w_avg.value.astype(ws.dtype) + psi * ws
        return truncated if cutoff is None else jnp.where(jnp.arange(ws.shape[1])[:, None] < cutoff, truncated, ws)

    def styles_in_training(self, z, key, layers: int, used: int, mixing: float, class_onehot=None):
        """Styles of latents z, mixed with those of random latents of the same classes; the average of w is updated.

        `mixing` is the probability per example; `used` is the number of layers that this stage has.
        Shapes: z [B, latent] -> [B, layers, width].
        """
        w = self(z, class_onehot)
        if self.is_mutable_collection("average") and not self.is_initializing():
            self.w_avg.value += (1 - DECAY) * (w.mean(0, dtype=jnp.float32) - self.w_avg.value)
        if not mixing:
            return broadcast(w, layers)
        k_z, k_cut = jax.random.split(key)
        random_w = self(noise.normal(k_z, len(z), z.shape[1:]).astype(z.dtype), class_onehot)
        return mix(broadcast(w, layers), broadcast(random_w, layers), k_cut, mixing, used)


class Styled(nn.Module):
    """The methods that StyleGAN's generators share, which have `channels`, two styles per stage, and a `mapping`."""

    def map(self, z, class_onehot=None):
        """Shapes: z [B, latent], class_onehot [B, classes] or None -> w [B, width]."""
        return self.mapping(z, class_onehot)

    def styles(self, w):
        """One w for all layers. Shapes: [B, width] -> [B, 2 stages, width]."""
        return broadcast(w, 2 * len(self.channels))

    def truncate(self, ws, psi, cutoff: int | None = None):
        """Styles moved towards the average w; see `Mapping.truncate`."""
        return self.mapping.truncate(ws, psi, cutoff)


def broadcast(w, layers: int):
    """w as the style of every layer. Shapes: [B, width] -> [B, layers, width]."""
    return jnp.broadcast_to(w[:, None], (w.shape[0], layers, w.shape[1]))


def mix(ws, later_ws, key, probability: float, used: int):
    """Replace, with `probability` per example, its styles by `later_ws` from a random layer 1 ... `used` - 1 on.

    Shapes: [B, layers, width] twice -> the same. Source: section 3.1.
    Authors' code: one choice for the whole batch; here: each example has its own, so it does not depend on the others.
    """
    draws = noise.uniform(key, len(ws), (2,))
    layers = ws.shape[1]
    start = jnp.where(draws[:, 0] < probability, 1 + jnp.floor(draws[:, 1] * (used - 1)), layers)
    return jnp.where((jnp.arange(layers) < start[:, None])[:, :, None], ws, later_ws)
