"""Variational autoencoders: a net x a likelihood x a bound on it, with or without labels.

Source: arXiv:1312.6114. The model, the bound and the outputs are in `genjax.tasks.variational`. With labels
(`classes` > 0) a latent ends in the label's one-hot, so that `decode` takes nothing else; labels that an output does
not get are inferred.
"""

from functools import partial

import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.extensions import find
from genjax.losses import variational
from genjax.losses.variational import LIKELIHOODS, REDUCTIONS, warm_up
from genjax.nets import autoencoder, contracts, conv_latent
from genjax.ops.pixels import to_float
from genjax.tasks.variational.elbo import negative_elbo
from genjax.tasks.variational.model import Model
from genjax.tasks.variational.outputs import outputs

NETS = {"dense": autoencoder.Dense, "conv": conv_latent.ConvLatent}


def config() -> ConfigDict:
    """Every key of a variational autoencoder's config with its default, locked: a misspelled key raises."""
    c = defaults(task="vae")
    c.eval.metrics = "reconstruction,likelihood,frechet"
    c.vae = ConfigDict({"net": "dense"})  # further keys: the fields of the net
    c.classes = 0  # 0: without labels; n: with labels from 0 to n - 1
    c.likelihood = ConfigDict({"name": "bernoulli", "std": 1.0})  # or "gaussian", with this standard deviation
    c.elbo = ConfigDict(
        {
            "beta": 1.0,  # weight of the KL (arXiv:1804.03599 has more than 1)
            "warm_up": 0,  # steps over which that weight rises from 0
            "free_bits": 0.0,  # nats of KL per latent dimension that cost nothing
            "samples": 1,  # latents per example; more than 1: the importance-weighted bound
            "reduction": "sum",  # "sum": nats per example; "mean": nats per number of an example, the KL's too
        }
    )
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A variational autoencoder for examples of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data. In training a label outside
    the classes makes the loss NaN, and the run stops.
    """
    check = contracts.VariationalAutoencoder.check
    net = construct(NETS, c.vae, "vae", check, shape=tuple(shape), heads=2, latent_activation="linear")
    likelihood = find(LIKELIHOODS, c.likelihood.name, "likelihood.name", variational.check)
    model = Model(net, likelihood, c.likelihood.std, tuple(shape), c.classes)
    _validate(c, model)
    apply = computing_in(c.dtype, net.apply)
    tx = optimizer(**c.optimizer)

    def init(key):
        return State(jnp.int32(0), {"vae": init_net(model.init(key), tx)}, {}, {})

    def step(state, batch, key):
        """One update by the negative bound."""
        x = to_float(batch["x"][0], "sigmoid")
        onehot = model.one_hot(batch["label"][0]) if c.classes else model.unlabeled(len(x))
        kl_weight = c.elbo.beta * warm_up(state.step, c.elbo.warm_up)
        loss = partial(negative_elbo, model, c.elbo, apply)
        trained, metrics = gradient_step(state.nets["vae"], tx, loss, x, onehot, kl_weight, key)
        return State(state.step + 1, {"vae": trained}, state.ema, state.extra), metrics

    return Task(init, (Phase("train", c.steps, c.batch, step),), outputs(model, c.data.bits), c.classes)


def _validate(c, model):
    """Raises: InputError for numbers out of range and choices that do not fit each other or the data."""
    elbo = c.elbo
    net = model.net
    shape = model.shape
    if net.latent < 1:
        raise InputError(f"vae: latents of size {net.latent}: expected at least 1")
    if c.classes < 0 or c.classes == 1:
        raise InputError(f"classes={c.classes}: expected 0 (without labels) or at least 2")
    if elbo.beta < 0 or elbo.warm_up < 0 or elbo.free_bits < 0:
        raise InputError(
            f"elbo.beta={elbo.beta}, warm_up={elbo.warm_up}, free_bits={elbo.free_bits}: expected 0 or more of each"
        )
    if elbo.samples < 1 or (elbo.samples > 1 and elbo.free_bits):
        raise InputError(
            f"elbo.samples={elbo.samples}, free_bits={elbo.free_bits}: expected at least 1 sample, and free_bits=0 "
            "with more, because their bound has no KL of its own"
        )
    if elbo.reduction not in REDUCTIONS:
        raise InputError(f"elbo.reduction={elbo.reduction!r}: expected {' or '.join(map(repr, REDUCTIONS))}")
    if c.likelihood.std <= 0:
        raise InputError(f"likelihood.std={c.likelihood.std}: expected more than 0")
    if net.label_input == "planes" and len(shape) != 3:
        raise InputError(
            f"vae.net={c.vae.net!r} needs images, but the data are points of shape {list(shape)}: set 'dense'"
        )
    kind = "pixels" if len(shape) == 3 else "points"
    if net.output not in getattr(model.likelihood, kind):
        likelihoods = LIKELIHOODS | {c.likelihood.name: model.likelihood}
        allowed = {name: getattr(likelihood, kind) for name, likelihood in likelihoods.items()}
        pairs = ", ".join(f"{name} with {' or '.join(outputs)}" for name, outputs in allowed.items() if outputs)
        raise InputError(
            f"likelihood.name={c.likelihood.name!r} with vae.output={net.output!r} of {kind}: expected {pairs}"
        )
