"""The outputs of a trained variational autoencoder, each as `genjax.engine.outputs.OUTPUTS` describes it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from genjax.engine.state import State
from genjax.losses.variational import log_normal
from genjax.ops import noise
from genjax.ops.pixels import to_float, to_pixels, to_stored
from genjax.tasks.variational.model import Model

DRAWS = 100
"""Latents per example in the importance-weighted bound that an evaluation reports."""


def outputs(model: Model, bits: int = 8) -> dict[str, Callable]:
    """The outputs of the task by their names; samples have `bits` per channel."""
    return {name: getattr(Outputs(model, bits), name) for name in OUTPUTS}


OUTPUTS = ("encode", "decode", "reconstruct", "log_weights", "latents", "sample")


@dataclass(frozen=True)
class Outputs:
    """The outputs as methods. Where a model with classes gets no labels, it infers them (`Model.infer_label`)."""

    model: Model
    bits: int = 8  # per channel of samples

    def encode(self, state: State, x, label=None, sampled: bool = False):
        """Latents: the means of the posterior, or one sample of it. The one-hot label follows.

        Shapes: x [N, *shape], label [N] or None -> [N, latent + classes].
        """
        x, onehot, mean, logvar = self._infer(state, x, label)
        return jnp.concatenate([self._sample_posterior(x, mean, logvar) if sampled else mean, onehot], 1)

    def decode(self, state: State, z, ema: bool = True):
        """The mean example of each latent, pixels from 0 to 255, not rounded. `ema` is ignored: there is no average.

        Shapes: z [N, latent + classes] -> [N, *shape].
        """
        return to_pixels(self.model.decode_activated(self._apply(state), z), self.model.scale)

    def reconstruct(self, state: State, x, label=None, sampled: bool = False):
        """`decode` of `encode`: pixels from 0 to 255, not rounded. Shapes: x [N, *shape], label [N] -> [N, *shape]."""
        return self.decode(state, self.encode(state, x, label, sampled))

    def latents(self, state: State, seeds, truncation: float | None = None):
        """The latent of each seed from the prior; its class is seed % classes. Shapes: [N] -> [N, latent + classes]."""
        z = noise.of_seeds(seeds, (self.model.net.latent,), truncation)
        classes = self.model.classes
        return jnp.concatenate([z, self.model.one_hot(seeds % classes)], 1) if classes else z

    def sample(self, state: State, seeds, truncation: float | None = None, ema: bool = True):
        """The mean example of each seed's latent, which does not depend on the other seeds.

        Shapes: int [N] -> uint8 or uint16 [N, H, W, C], or float32 points [N, *shape].
        """
        x = self.model.decode_activated(self._apply(state), self.latents(state, seeds, truncation))
        return to_stored(x, self.model.scale, self.bits)

    def log_weights(self, state: State, x, label=None, draws: int = DRAWS):
        """log p(x | z) p(z) / q(z | x) of samples z of the posterior, in nats for any reduction of the loss.

        With labels, of p(x, z | y). With inferred ones, of p(x, z, y) where all labels are equally likely, which bounds
        p(x) too. The noise of draw k follows from the example and from k, so an example's weights do not depend on the
        other examples.
        Shapes: x [N, *shape], label [N] or None -> [N, draws].
        """
        x, onehot, mean, logvar = self._infer(state, x, label)
        label_nll = jnp.log(self.model.classes) if self.model.classes and label is None else 0.0

        def log_weight(draw):
            z = self._sample_posterior(x, mean, logvar, draw)
            recon_nll = self.model.nll(self._apply(state), z[:, None], x, onehot)[:, 0]
            return log_normal(z) - log_normal(z, mean, logvar) - recon_nll - label_nll

        return jax.lax.map(log_weight, jnp.arange(draws), batch_size=20).T

    def _apply(self, state):
        return partial(self.model.net.apply, state.nets["vae"].variables)

    def _infer(self, state, x, label):
        """Examples as floats, one-hot labels, and the posterior's mean and log-variance."""
        apply = self._apply(state)
        x = to_float(x, "sigmoid")
        if not self.model.classes:
            onehot = self.model.unlabeled(x.shape[0])
        else:
            onehot = self.model.one_hot(self.model.infer_label(apply, x) if label is None else jnp.asarray(label))
        return x, onehot, *self.model.posterior(apply, x, onehot)

    def _sample_posterior(self, x, mean, logvar, draw=0):
        """One latent per example; its noise follows from the example and from `draw`."""
        keys = jax.vmap(jax.random.fold_in, (0, None))(noise.keys_of_content(jax.random.key(0), x), draw)
        return mean + jnp.exp(logvar / 2) * jax.vmap(lambda key: jax.random.normal(key, (self.model.net.latent,)))(keys)
