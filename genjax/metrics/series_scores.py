"""Scores of made series by small recurrent nets that are trained after the fact: TimeGAN's two scores.

Source: Yoon et al., "Time-series generative adversarial networks" (NeurIPS 2019), section 5, with the nets and
constants of its authors' code. All random choices follow from a seed. Series are float32 [N, T, F] with NaN after
their ends.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from genjax.errors import InputError
from genjax.nets.gru import GRUStack

LEAST = 10
"""Series of each kind below which there is nothing to train on and to test with."""


class Score(NamedTuple):
    """Mean and standard deviation over repetitions with other first weights, batches and divisions."""

    mean: float
    std: float


def in_unit_range(reference, samples) -> tuple[np.ndarray, np.ndarray, bool]:
    """Both as they are if the reference lies in [0, 1]; otherwise scaled by its range, number by number.

    The third result tells whether they were scaled. Shapes: [N, T, F], [M, T, F], kept.
    """
    low, high = np.nanmin(reference, (0, 1)), np.nanmax(reference, (0, 1))
    if low.min() >= 0 and high.max() <= 1:
        return reference, samples, False
    width = high - low + np.float32(1e-7)
    return (reference - low) / width, (samples - low) / width, True


def discriminative_score(
    reference, samples, *, seed: int = 0, repeats: int = 5, iterations: int = 2000, batch: int = 128
) -> Score:
    """|1/2 - accuracy| of a GRU that classifies held-out fifths of both sets, trained on the other four; 0 is best.

    As many of each set are taken as the smaller one has. The GRU has half as many units as a step has numbers, and its
    logit is of its state at the end of a series.
    Shapes: [N, T, F], [M, T, F]. Raises: InputError for other shapes, and fewer than LEAST series.
    """
    _check(reference, samples)
    count = min(len(reference), len(samples))
    x = np.concatenate([reference[:count], samples[:count]])
    x, ends = _known(x), _lengths(x) - 1
    net = GRUStack(1, "linear", _units(x), 1)
    parts = count * 4 // 5

    def logits(params, rows):
        y = net.apply({"params": params}, x_[rows])[..., 0]
        return jnp.take_along_axis(y, ends_[rows][:, None], 1)[:, 0]

    def loss(params, rows):
        y = logits(params, rows).reshape(2, -1)
        return jax.nn.softplus(-y[0]).mean() + jax.nn.softplus(y[1]).mean()

    x_, ends_ = jnp.asarray(x), jnp.asarray(ends)
    rows, tests = [], []
    for rng in _generators(seed, repeats):
        order = np.stack([rng.permutation(count) for _ in range(2)])
        size = min(batch, parts)
        drawn = np.stack([_draw(rng, order[kind, :parts], iterations, size) + kind * count for kind in range(2)], 1)
        rows.append(drawn.reshape(iterations, -1))
        tests.append(np.concatenate([order[0, parts:], order[1, parts:] + count]))
    params = _trained(net, x_, loss, np.stack(rows), seed)
    y = np.asarray(jax.jit(jax.vmap(logits))(params, np.stack(tests))).reshape(repeats, 2, -1)
    accuracy = ((y[:, 0] > 0).mean(1) + (y[:, 1] <= 0).mean(1)) / 2
    return _score(np.abs(accuracy - 0.5))


def predictive_score(
    reference, samples, *, seed: int = 0, repeats: int = 5, iterations: int = 5000, batch: int = 128
) -> Score:
    """Mean absolute error on the reference of a GRU that was trained on the samples; 0 is best.

    It predicts the last number of the next step from the other numbers of the steps before (a single number from
    itself), has half as many units as a step has numbers, and ends in a sigmoid. The error is a mean over the steps of
    a series, and then over series. With the reference as samples it is what real series would teach.
    Shapes: [N, T, F], [M, T, F]. Raises: InputError for other shapes, and fewer than LEAST series.
    """
    _check(reference, samples)
    net = GRUStack(1, "sigmoid", _units(reference), 1)

    def errors(params, x):
        known = ~jnp.isnan(x[:, 1:, -1])
        x = jnp.nan_to_num(x)
        inputs = x[:, :-1, :-1] if x.shape[2] > 1 else x[:, :-1]
        error = jnp.abs(net.apply({"params": params}, inputs)[..., 0] - x[:, 1:, -1])
        return jnp.where(known, error, 0), known

    def loss(params, rows):
        error, known = errors(params, x_[rows])
        return error.sum() / jnp.maximum(known.sum(), 1)

    x_ = jnp.asarray(samples)
    everything = np.arange(len(samples))
    size = min(batch, len(samples))
    rows = np.stack([_draw(rng, everything, iterations, size) for rng in _generators(seed, repeats)])
    params = _trained(net, x_[..., : max(1, x_.shape[2] - 1)], loss, rows, seed)

    def mean_error(params, x):
        error, known = errors(params, x)
        lengths = known.sum(1)
        return (error.sum(1) / jnp.maximum(lengths, 1)).sum() / jnp.maximum((lengths > 0).sum(), 1)

    return _score(np.asarray(jax.jit(jax.vmap(mean_error, (0, None)))(params, jnp.asarray(reference))))


def _check(reference, samples) -> None:
    """Raises: InputError for what are no series of one form, and for few of them."""
    shapes = [np.shape(reference), np.shape(samples)]
    if any(len(shape) != 3 for shape in shapes) or shapes[0][1:] != shapes[1][1:] or shapes[0][1] < 2:
        raise InputError(f"expected two sets of series [N, T, F] of one T >= 2 and F; got {[list(s) for s in shapes]}")
    if min(shape[0] for shape in shapes) < LEAST:
        raise InputError(f"{shapes[0][0]} and {shapes[1][0]} series: expected at least {LEAST} of each")


def _units(x) -> int:
    return max(1, x.shape[2] // 2)


def _known(x) -> np.ndarray:
    return np.nan_to_num(np.asarray(x, np.float32))


def _lengths(x) -> np.ndarray:
    """Number of steps of each series, at least 1. Shapes: [N, T, F] -> int [N]."""
    return np.maximum((~np.isnan(x).any(-1)).sum(1), 1)


def _generators(seed: int, repeats: int) -> list[np.random.Generator]:
    return [np.random.default_rng((seed, repeat)) for repeat in range(repeats)]


def _draw(rng: np.random.Generator, of: np.ndarray, iterations: int, size: int) -> np.ndarray:
    """Batches without repetition within one. Shapes: of [N] -> [iterations, size]."""
    return np.stack([of[rng.choice(len(of), size, replace=False, shuffle=False)] for _ in range(iterations)])


def _trained(net: GRUStack, x, loss, rows: np.ndarray, seed: int):
    """Parameters after steps of Adam with TensorFlow's constants.

    Shapes: rows [repeats, iterations, B] -> [repeats, ...].
    """
    tx = optax.adam(1e-3, eps=1e-8)

    def train(key, rows):
        params = net.init(key, x[:1])["params"]

        def step(carry, rows):
            params, opt = carry
            updates, opt = tx.update(jax.grad(loss)(params, rows), opt)
            return (optax.apply_updates(params, updates), opt), None

        return jax.lax.scan(step, (params, tx.init(params)), rows)[0][0]

    keys = jax.random.split(jax.random.key(seed), len(rows))
    return jax.jit(jax.vmap(train))(keys, rows)


def _score(values: np.ndarray) -> Score:
    return Score(float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64)))
