"""Variational autoencoders: a net x a likelihood x a bound on it, of examples alone or class_onehot their labels.

Source: arXiv:1312.6114. Latents of a net class_onehot labels (`classes` > 0) end in the label's one-hot, so that `decode`
needs nothing else; of examples whose label it is not told, such a net takes the likeliest one.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct, defaults, pick
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.losses.variational import (
    LIKELIHOODS,
    REDUCTIONS,
    floored_kl,
    gaussian_kl,
    importance_bound,
    log_normal,
    warm_up,
)
from genjax.nets import autoencoder, conv_latent
from genjax.nets.layers import ACTIVATIONS
from genjax.ops import noise
from genjax.ops.arrays import flatten, one_hot
from genjax.ops.pixels import to_float, to_pixels, to_uint8

NETS = {"dense": autoencoder.Dense, "conv": conv_latent.ConvLatent}

DRAWS = 100
"""Of latents for each example, in the importance-weighted bound that is reported."""


def config() -> ConfigDict:
    """Every key of a variational autoencoder's config with its default, locked: a misspelt key raises."""
    c = defaults(task="vae")
    c.eval.metrics = "reconstruction,likelihood,frechet"
    c.vae = ConfigDict({"net": "dense"})  # further keys: the fields of the net
    c.classes = 0  # 0: of examples alone; n: class_onehot labels from 0 to n - 1
    c.likelihood = ConfigDict({"name": "bernoulli", "std": 1.0})  # or "gaussian", of that standard deviation
    c.elbo = ConfigDict(
        {
            "beta": 1.0,  # weight of the KL (arXiv:1804.03599 has more than 1)
            "warm_up": 0,  # steps over which that weight rises from 0
            "free_bits": 0.0,  # nats of each latent that cost nothing
            "samples": 1,  # of latents for each example; more: the importance-weighted bound
            "reduction": "sum",  # nats an example; "mean": over its numbers, the KL divided by them too
        }
    )
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A variational autoencoder of examples of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data. In training a
    label beyond the classes makes the loss NaN, and the run stops.
    """
    net = construct(NETS, c.vae, "vae", shape=tuple(shape), heads=2, latents="linear")
    minus_log_likelihood = pick(LIKELIHOODS, c.likelihood.name, "likelihood.name")
    latent = net.latent if c.vae.net == "conv" else (net.widths or (0,))[-1]
    _refuse(c, net, latent, shape)
    pixels = len(shape) == 3
    size = 1 if c.elbo.reduction == "sum" else math.prod(shape)
    apply, tx = computing_in(c.dtype, net.apply), optimizer(**c.optimizer)

    def see(x, class_onehot):
        """What the encoder sees of examples and of one-hots: these behind the numbers, or as planes of the image."""
        if c.vae.net == "dense":
            return jnp.concatenate([flatten(x), class_onehot], 1)
        planes = jnp.broadcast_to(class_onehot[:, None, None], (*x.shape[:3], c.classes))
        return jnp.concatenate([x, planes], 3)

    def posterior(run, x, class_onehot):
        """Mean and log-variance of q(z | x). Shapes: x [B, *shape], class_onehot [B, classes] -> [B, latent] each."""
        return jnp.split(run(see(x, class_onehot), method="encode"), 2, axis=1)

    def surprise(run, z, x, class_onehot):
        """-log p(x | z) of K latents an example, in nats. Shapes: z [B, K, latent], x [B, *shape] -> [B, K]."""
        draws = z.shape[1]
        z = jnp.concatenate([z, jnp.broadcast_to(class_onehot[:, None], (*z.shape[:2], c.classes))], 2)
        y = run(z.reshape(-1, z.shape[2]), method="decode")
        y = y if c.likelihood.name == "bernoulli" else ACTIVATIONS[net.output](y)
        # Flat: XLA sums many axes at a third of the speed.
        return minus_log_likelihood(y.reshape(len(x), draws, -1), flatten(x)[:, None], c.likelihood.std).sum(2)

    def init(key):
        ends = lambda net, x, z: (net.encode(x), net.decode(z))  # noqa: E731
        like = see(jnp.zeros((1, *shape)), jnp.zeros((1, c.classes))), jnp.zeros((1, latent + c.classes))
        return State(jnp.int32(0), {"vae": init_net(net.init(key, *like, method=ends), tx)}, {}, {})

    def total(params, stats, x, class_onehot, weight, key):
        run = partial(apply, {"params": params, **stats}, train=True)
        mean, logvar = posterior(run, x, class_onehot)
        eps = noise.normal(key, len(x), (c.elbo.samples, latent))
        z = mean[:, None] + jnp.exp(logvar[:, None] / 2) * eps
        missed, kl = surprise(run, z, x, class_onehot), gaussian_kl(mean, logvar)
        if c.elbo.samples == 1:  # the KL in closed form, of less variance than its sample
            value = missed.mean() + weight * floored_kl(kl, c.elbo.free_bits)
        else:
            of_latents = log_normal(z) - log_normal(z, mean[:, None], logvar[:, None])
            value = -importance_bound(weight * of_latents - missed).mean()
        metrics = {"loss": value / size, "reconstruction/loss": missed.mean() / size, "kl/nats": kl.sum(1).mean()}
        if c.elbo.warm_up:
            metrics["kl/weight"] = weight
        return metrics["loss"], (stats, metrics)

    def step(state, batch, key):
        """One update by the bound, negated."""
        x = to_float(batch["x"][0], "sigmoid")
        class_onehot = one_hot(batch["label"][0], c.classes) if c.classes else jnp.zeros((len(x), 0))
        weight = c.elbo.beta * warm_up(state.step, c.elbo.warm_up)
        moved, metrics = gradient_step(state.nets["vae"], tx, total, x, class_onehot, weight, key)
        return State(state.step + 1, {"vae": moved}, state.ema, state.extra), metrics

    def trained(state):
        return partial(net.apply, state.nets["vae"].variables)

    def likeliest(state, x):
        """Of each example the class whose bound is best, at the mean latent. Shapes: [N, *shape] -> int [N]."""

        def fit(label):
            class_onehot = one_hot(jnp.full(len(x), label), c.classes)
            mean, logvar = posterior(trained(state), x, class_onehot)
            return -surprise(trained(state), mean[:, None], x, class_onehot)[:, 0] - gaussian_kl(mean, logvar).sum(1)

        return jax.lax.map(fit, jnp.arange(c.classes)).argmax(0)

    def inferred(state, x, label):
        """Examples as floats, with their one-hots and what the encoder says of them."""
        x = to_float(x, "sigmoid")
        if not c.classes:
            class_onehot = jnp.zeros((len(x), 0))
        else:
            class_onehot = one_hot(likeliest(state, x) if label is None else jnp.asarray(label), c.classes)
        return x, class_onehot, *posterior(trained(state), x, class_onehot)

    def drawn(x, mean, logvar, draw=0):
        """One draw of latents, whose noise follows from the example and the draw's number."""
        keys = jax.vmap(jax.random.fold_in, (0, None))(noise.keys_of_content(jax.random.key(0), x), draw)
        return mean + jnp.exp(logvar / 2) * jax.vmap(lambda key: jax.random.normal(key, (latent,)))(keys)

    def encode(state, x, label=None, sampled=False):
        """Latents: the means, or a draw of them. Shapes: x [N, *shape], label [N] or None -> [N, latent + classes]."""
        x, class_onehot, mean, logvar = inferred(state, x, label)
        return jnp.concatenate([drawn(x, mean, logvar) if sampled else mean, class_onehot], 1)

    def restore(state, z):
        return ACTIVATIONS[net.output](trained(state)(z, method="decode"))

    def decode(state, z, ema=True):
        """Examples of latents, pixels from 0 to 255 and not rounded. Shapes: z [N, latent + classes] -> [N, *shape].

        `ema` is for callers of any generator: there is no average here.
        """
        return to_pixels(restore(state, z), "sigmoid" if pixels else "linear")

    def reconstruct(state, x, label=None, sampled=False):
        """Mean examples of the latents of `encode`, pixels from 0 to 255, not rounded. Shapes: x [N, *shape], kept."""
        return decode(state, encode(state, x, label, sampled))

    def latents(state, seeds, truncation=None):
        """The latents of each seed from the prior; a seed's class is seed % classes. Shapes: [N] -> as of `encode`."""
        z = noise.of_seeds(seeds, (latent,), truncation)
        return jnp.concatenate([z, one_hot(seeds % c.classes, c.classes)], 1) if c.classes else z

    def sample(state, seeds, truncation=None, ema=True):
        """The mean example of each seed's latents: uint8 pixels, or float32 points. Shapes: int [N] -> [N, *shape].

        The example of a seed does not depend on the others.
        """
        return to_uint8(restore(state, latents(state, seeds, truncation)), "sigmoid" if pixels else "linear")

    def log_weights(state, x, label=None, draws=DRAWS):
        """log p(x | z) p(z) / q(z | x) of draws from q, in nats, whatever the loss's scale. Shapes: -> [N, draws].

        Given labels: of p(x, z | label). Where the label is inferred, of p(x, z, label) under equally likely ones: that
        bounds p(x) too. The noise follows from the example: its weights do not depend on the others, nor on `draws`.
        """
        x, class_onehot, mean, logvar = inferred(state, x, label)
        chance = jnp.log(c.classes) if c.classes and label is None else 0.0

        def weigh(draw):
            z = drawn(x, mean, logvar, draw)
            missed = surprise(trained(state), z[:, None], x, class_onehot)[:, 0]
            return log_normal(z) - log_normal(z, mean, logvar) - missed - chance

        return jax.lax.map(weigh, jnp.arange(draws), batch_size=20).T

    outputs = {"encode": encode, "decode": decode, "reconstruct": reconstruct, "log_weights": log_weights}
    outputs |= {"latents": latents, "sample": sample}
    return Task(init, (Phase("train", c.steps, c.batch, step),), outputs, c.classes)


def _refuse(c, net, latent, shape):
    """Raise InputError for numbers out of range and choices that do not fit each other or the data."""
    elbo = c.elbo
    if latent < 1:
        raise InputError(f"vae: latents of size {latent}: expected at least 1")
    if c.classes < 0 or c.classes == 1:
        raise InputError(f"classes={c.classes}: expected 0 (without labels) or at least 2")
    if elbo.beta < 0 or elbo.warm_up < 0 or elbo.free_bits < 0:
        raise InputError(
            f"elbo.beta={elbo.beta}, warm_up={elbo.warm_up}, free_bits={elbo.free_bits}: expected 0 or more of each"
        )
    if elbo.samples < 1 or (elbo.samples > 1 and elbo.free_bits):
        raise InputError(
            f"elbo.samples={elbo.samples}, free_bits={elbo.free_bits}: expected at least 1 sample, and with more "
            "free_bits=0, for their bound has no KL of its own"
        )
    if elbo.reduction not in REDUCTIONS:
        raise InputError(f"elbo.reduction={elbo.reduction!r}: expected {' or '.join(map(repr, REDUCTIONS))}")
    if c.likelihood.std <= 0:
        raise InputError(f"likelihood.std={c.likelihood.std}: expected more than 0")
    if c.vae.net == "conv" and len(shape) != 3:
        raise InputError(f"vae.net='conv' needs images, but the data are points of shape {list(shape)}: set 'dense'")
    if len(shape) == 3:
        fits, what = {"bernoulli": ("sigmoid",), "gaussian": ("sigmoid", "linear")}, "pixels"
    else:
        fits, what = {"gaussian": ("linear",)}, "points"
    if net.output not in fits.get(c.likelihood.name, ()):
        pairs = ", ".join(f"{name} with {' or '.join(outputs)}" for name, outputs in fits.items())
        raise InputError(
            f"likelihood.name={c.likelihood.name!r} with vae.output={net.output!r} of {what}: expected {pairs}"
        )
