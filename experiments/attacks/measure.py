"""Accuracies of classifiers under attack, with their intervals."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.attacks import defense_gan
from genjax.losses.classification import cross_entropies
from genjax.metrics import binomial_interval
from genjax.ops import attack
from genjax.run.loaded import Run

BATCH = 50
ATTACKS = "clean", "FGSM", "PGD"


class Accuracy(NamedTuple):
    """A share of images that were classified correctly, with its 95% interval."""

    share: float
    low: float
    high: float


def logits_of(run: Run) -> Callable:
    """A run's logits of images from 0 to 1."""
    return jax.jit(partial(run.task.outputs["logits"], run.state))


def attacked(logits: Callable, x, label, kind: str, epsilon: float, steps: int, seed: int = 0) -> np.ndarray:
    """Images that one of ATTACKS on a classifier makes.

    PGD has steps of 2.5 epsilon / steps and one random start (arXiv:1706.06083, section 4, and its authors' code).
    Shapes: x float [N, H, W, C] from 0 to 1, label int [N] -> the same as x.
    """
    if kind == "clean":
        return x
    keys = (jax.random.fold_in(jax.random.key(seed), i) for i in range(len(x)))
    make = _attack(logits, kind, steps)
    return _in_batches(lambda *batch: make(*batch, next(keys), epsilon), x, label)


@cache
def _attack(logits: Callable, kind: str, steps: int) -> Callable:
    """An attack as one program for all sizes: (x, label, key, epsilon) -> images."""

    @jax.jit
    def make(x, label, key, epsilon):
        def loss(x):
            return cross_entropies(logits(x), label)

        if kind == "FGSM":
            return attack.fgsm(loss, x, epsilon)
        start = attack.random_start(key, x, epsilon)
        return attack.pgd(loss, x, epsilon, 2.5 * epsilon / steps, steps, start)

    return make


def purified(run: Run, x, restarts: int, steps: int) -> np.ndarray:
    """Images that Defense-GAN puts in the place of x, by the generator of a run. Shapes: x [N, H, W, C], kept."""
    outputs, state = run.task.outputs, run.state

    @jax.jit
    def make(x, seeds):
        start = outputs["latents"](state, seeds.ravel()).reshape(*seeds.shape, -1)
        return defense_gan.project(lambda z: outputs["decode"](state, z) / 255, x, start, steps).images

    seeds = np.arange(len(x) * restarts, dtype=np.int32).reshape(len(x), restarts)
    return _in_batches(make, x, seeds)


def _in_batches(function: Callable, *arrays) -> np.ndarray:
    """A function of arrays by batches of BATCH, the last one filled up with its first example."""
    parts = []
    for start in range(0, len(arrays[0]), BATCH):
        batch = [array[start : start + BATCH] for array in arrays]
        count = len(batch[0])
        filled = [np.concatenate([a, a[:1].repeat(BATCH - count, 0)]) for a in batch]
        parts.append(np.asarray(function(*map(jnp.asarray, filled)))[:count])
    return np.concatenate(parts)


def accuracy(logits: Callable, x, label) -> Accuracy:
    """The accuracy of a classifier, with Clopper and Pearson's interval. Shapes: x [N, H, W, C], label [N]."""
    right = int((_in_batches(logits, x).argmax(1) == label).sum())
    return Accuracy(right / len(label), *binomial_interval(right, len(label)))


def curves(classifiers: dict[str, Callable], x, label, epsilons: Sequence[float], steps: int):
    """Accuracies by classifier, attack and epsilon: {name: {kind: [Accuracy, ...]}}."""
    return {
        name: {
            kind: [accuracy(logits, attacked(logits, x, label, kind, e, steps), label) for e in epsilons]
            for kind in ATTACKS[1:]
        }
        for name, logits in classifiers.items()
    }


def table(classifiers: dict[str, Callable], gan: Run, x, label, epsilon, steps, restarts, descent):
    """Accuracies by defense and attack, and the images of the plain classifier's attacks and Defense-GAN's of them.

    Each classifier is attacked by its own gradient. Defense-GAN stands before the first one; attacks know that
    classifier, but not the generator.
    """
    rows = {}
    for name, logits in classifiers.items():
        rows[name] = [accuracy(logits, attacked(logits, x, label, kind, epsilon, steps), label) for kind in ATTACKS]
    plain = next(iter(classifiers.values()))
    images = {kind: attacked(plain, x, label, kind, epsilon, steps) for kind in ATTACKS}
    defended = {kind: purified(gan, moved, restarts, descent) for kind, moved in images.items()}
    rows["Defense-GAN"] = [accuracy(plain, defended[kind], label) for kind in ATTACKS]
    return rows, images, defended
