"""Losses of series whose lengths may differ: `valid` marks the steps that belong to one."""

import jax
import jax.numpy as jnp

from genjax.ops.padding import mean_where


def cross_entropy(logits, label: float, valid):
    """Binary cross-entropy of one label for all steps. Shapes: logits [B, T, 1], valid [B, T] -> []."""
    return mean_where(jax.nn.softplus(logits) - label * logits, valid)


def squared_error(y, x, valid):
    """Mean squared error over the steps. Shapes: y, x [B, T, F], valid [B, T] -> []."""
    return mean_where(jnp.square(y - x), valid)


def next_step_error(predicted, h, valid):
    """Mean squared error of the prediction of each step but the first, made at the step before it.

    Source: Yoon et al., "Time-series generative adversarial networks" (NeurIPS 2019), eq. 9.
    Shapes: predicted, h [B, T, F], valid [B, T] -> [].
    """
    return squared_error(predicted[:, :-1], h[:, 1:], valid[:, 1:])


def moment_distance(y, x, valid):
    """Mean absolute difference of the means over the batch, plus that of the standard deviations.

    Moments are of each number of each step. Steps beyond all series' ends do not count.
    Source: the code of Yoon et al. (NeurIPS 2019), `G_loss_V`.
    Shapes: y, x [B, T, F], valid [B, T] -> [].
    """
    (mean_y, std_y), (mean_x, std_x) = (_moments(z, valid) for z in (y, x))
    some = valid.any(0)[None]
    return mean_where(jnp.abs(mean_y - mean_x)[None], some) + mean_where(jnp.abs(std_y - std_x)[None], some)


def _moments(x, valid):
    mask = valid[..., None]
    count = jnp.maximum(mask.sum(0), 1)
    mean = jnp.where(mask, x, 0).sum(0) / count
    variance = jnp.where(mask, jnp.square(x - mean), 0).sum(0) / count
    return mean, jnp.sqrt(variance + 1e-6)
