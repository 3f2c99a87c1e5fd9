"""The model of a variational autoencoder: a net x a likelihood, with or without labels.

    p(x, z | y) = p(x | z, y) N(z; 0, 1)        the decoder and the likelihood
    q(z | x, y) = N(z; mean, exp(logvar))       the encoder

y is a one-hot label [B, classes], of 0 entries in a model without labels.
Source: arXiv:1312.6114.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.engine.state import Variables
from genjax.losses.variational import Likelihood, gaussian_kl
from genjax.nets.layers import ACTIVATIONS
from genjax.ops import arrays


@dataclass(frozen=True)
class Model:
    """A net, a likelihood and a number of classes. `apply` in its methods is `net.apply` with the weights bound.

    Fields:
        net: fulfils `genjax.nets.contracts.VariationalAutoencoder`.
        likelihood: a record of `genjax.losses.variational.LIKELIHOODS`.
        std: standard deviation of the likelihood, if it has one.
        shape: the shape of one example.
        classes: number of classes, 0 for a model without labels.
    """

    net: nn.Module
    likelihood: Likelihood
    std: float
    shape: tuple[int, ...]
    classes: int = 0

    @property
    def size(self) -> int:
        """The count of numbers of one example."""
        return math.prod(self.shape)

    @property
    def scale(self) -> str:
        """The scale of examples for `genjax.ops.pixels`: "sigmoid" for pixels from 0 to 1, "linear" for points."""
        return "sigmoid" if len(self.shape) == 3 else "linear"

    def init(self, key) -> Variables:
        """The net's first variables."""

        def both_ways(net, x, z):
            return net.encode(x), net.decode(z)

        x = self.encoder_input(jnp.zeros((1, *self.shape)), jnp.zeros((1, self.classes)))
        return self.net.init(key, x, jnp.zeros((1, self.net.latent + self.classes)), method=both_ways)

    def one_hot(self, label):
        """Labels as the net takes them; NaN for a label outside the classes. Shapes: int [B] -> [B, classes]."""
        return arrays.one_hot(label, self.classes)

    def unlabeled(self, count: int):
        """The labels of a model without classes. Shapes: -> [count, 0]."""
        return jnp.zeros((count, 0))

    def encoder_input(self, x, onehot):
        """Examples with their labels, behind the flat example or as channels, by the net's `label_input`."""
        if self.net.label_input == "concat":
            return jnp.concatenate([arrays.flatten(x), onehot], 1)
        planes = jnp.broadcast_to(onehot[:, None, None], (*x.shape[:3], self.classes))
        return jnp.concatenate([x, planes], 3)

    def posterior(self, apply: Callable, x, onehot):
        """Mean and log-variance of q(z | x, y). Shapes: x [B, *shape], onehot [B, classes] -> [B, latent] each."""
        return jnp.split(apply(self.encoder_input(x, onehot), method="encode"), 2, axis=1)

    def nll(self, apply: Callable, z, x, onehot):
        """-log p(x | z, y) of K latents per example, in nats. Shapes: z [B, K, latent], x [B, *shape] -> [B, K]."""
        count = z.shape[1]
        z = jnp.concatenate([z, jnp.broadcast_to(onehot[:, None], (*z.shape[:2], self.classes))], 2)
        y = apply(z.reshape(-1, z.shape[2]), method="decode")
        y = y if self.likelihood.takes_logits else ACTIVATIONS[self.net.output](y)
        # Flat: XLA's CPU backend sums many axes at a third of the speed.
        per_number = self.likelihood.nll(y.reshape(x.shape[0], count, -1), arrays.flatten(x)[:, None], self.std)
        return per_number.sum(2)

    def decode_activated(self, apply: Callable, z):
        """The mean of p(x | z, y), pixels from 0 to 1. Shapes: z [B, latent + classes] -> [B, *shape]."""
        return ACTIVATIONS[self.net.output](apply(z, method="decode"))

    def infer_label(self, apply: Callable, x):
        """The class with the best bound at the mean latent. Shapes: x [B, *shape] -> int [B]."""

        def bound(label):
            onehot = self.one_hot(jnp.full(x.shape[0], label))
            mean, logvar = self.posterior(apply, x, onehot)
            return -self.nll(apply, mean[:, None], x, onehot)[:, 0] - gaussian_kl(mean, logvar).sum(1)

        return jax.lax.map(bound, jnp.arange(self.classes)).argmax(0)
