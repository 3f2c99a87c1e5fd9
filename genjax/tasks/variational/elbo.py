"""The bound that a variational autoencoder is trained on, negated. With w the weight of the KL:

    samples = 1:  E_q[-log p(x | z)] + w KL(q(z | x) || p(z)), the KL in closed form, whose variance is less
    samples = K:  -log 1/K sum_k exp(w log[p(z_k) / q(z_k | x)] + log p(x | z_k)), the importance-weighted bound

Both in nats per example, the second at most the first at w = 1. `reduction` "mean" divides them by the count of numbers
of an example. Source: arXiv:1312.6114, eqs. 3 and 10; arXiv:1509.00519, eq. 8.
"""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.losses.variational import floored_kl, gaussian_kl, importance_bound, log_normal
from genjax.ops import noise
from genjax.tasks.variational.model import Model


def negative_elbo(model: Model, elbo: ConfigDict, apply: Callable, params, stats, x, onehot, kl_weight, key):
    """The loss of a batch, as `genjax.engine.update.gradient_step` takes it: -> scalar, (stats, metrics).

    `elbo` is the sub-config of that name, `apply` is `net.apply` in the type that nets compute in.
    Shapes: x [B, *shape] pixels from 0 to 1 or points, onehot [B, classes], kl_weight [].
    """
    apply = partial(apply, {"params": params, **stats}, train=True)
    mean, logvar = model.posterior(apply, x, onehot)
    eps = noise.normal(key, len(x), (elbo.samples, model.net.latent))
    z = mean[:, None] + jnp.exp(logvar[:, None] / 2) * eps
    recon_nll = model.nll(apply, z, x, onehot)
    kl = gaussian_kl(mean, logvar)
    if elbo.samples == 1:
        value = recon_nll.mean() + kl_weight * floored_kl(kl, elbo.free_bits)
    else:
        log_ratio = log_normal(z) - log_normal(z, mean[:, None], logvar[:, None])
        value = -importance_bound(kl_weight * log_ratio - recon_nll).mean()
    unit = 1 if elbo.reduction == "sum" else model.size
    metrics = {"loss": value / unit, "reconstruction/loss": recon_nll.mean() / unit, "kl/nats": kl.sum(1).mean()}
    if elbo.warm_up:
        metrics["kl/weight"] = kl_weight
    return metrics["loss"], (stats, metrics)
