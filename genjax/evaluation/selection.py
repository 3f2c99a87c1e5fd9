"""The examples that stand for a set: some of many, and samples of each class.

Both are pure functions of counts, so that results repeat, and neither follows the order of files, which may be that of
their classes.
"""

import numpy as np

REFERENCE, UNIFORM = "reference", "uniform"
CLASSES = REFERENCE, UNIFORM
"""How the classes of a conditional run's samples are drawn: by their shares in the reference, or equally often."""

SAMPLES = 10_000
"""Default number of samples of an evaluation of a run."""

SEED = 0
CHOSEN = {"chosen": f"at random, seed {SEED}"}
"""The part of a protocol's settings for a metric that reads some examples of a larger set."""


def select(size: int, count: int) -> np.ndarray:
    """Indices, in increasing order, of `count` examples of `size`; all if there are no more. Shapes: -> int [n]."""
    if count >= size:
        return np.arange(size)
    return np.sort(np.random.default_rng(SEED).permutation(size)[:count])


def labels_by_shares(frequencies: np.ndarray, count: int) -> np.ndarray:
    """Labels whose shares are those of a set's classes, in every first part as well, to about one example.

    Sainte-Laguë's method: example j of a class with f examples in the set comes at (2j + 1) / f, of equal times the
    smaller label first. Shares that are whole numbers of examples are met exactly; equal ones give 0, 1, 2, 0, ...
    Shapes: frequencies int [classes], one at least above 0 -> int32 [count].
    """
    total = int(frequencies.sum())
    most = frequencies * (count + len(frequencies)) // total + 1  # of each class among the first `count`
    labels = np.repeat(np.arange(len(frequencies), dtype=np.int32), np.where(frequencies > 0, most, 0))
    times = (2 * ranks(labels) + 1) / frequencies[labels]
    return labels[np.lexsort((labels, times))][:count]


def ranks(labels: np.ndarray) -> np.ndarray:
    """The number of earlier examples with the same label. Shapes: int [N] -> int64 [N]."""
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(np.bincount(labels)) - np.bincount(labels)
    earlier = np.empty(len(labels), np.int64)
    earlier[order] = np.arange(len(labels)) - starts[labels[order]]
    return earlier


def seeds_of(labels: np.ndarray, classes: int) -> np.ndarray:
    """A seed for each label, of its class (seed % classes) and used once. Shapes: int [N] -> int32 [N]."""
    return (ranks(labels) * classes + labels).astype(np.int32)
