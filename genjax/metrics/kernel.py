"""Kernel distance: an unbiased two-sample statistic with a cubic kernel. On Inception's features it is KID.

Source: arXiv:1801.01401, section 4.
"""

from typing import NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.metrics import checks


class KernelDistance(NamedTuple):
    """The mean over subsets, which is the distance, and their standard deviation."""

    mean: float
    std: float


def kernel_distance(x, y, subsets=100, size=1000, seed=0):
    """Squared maximum mean discrepancy under (x.y / D + 1)^3, unbiased (it may be negative), averaged over subsets.

    The subsets are those of torch-fidelity with the same seed: drawn without replacement by NumPy's RandomState,
    whose stream never changes. Subsets of `size` examples of as many are all the same: their deviation is
    zero, and says nothing.
    Shapes: x [N, D], y [M, D] -> KernelDistance.
    Raises: InputError for widths that differ, NaN, or fewer than `size` examples.
    """
    x, y = checks.table("x", x), checks.table("y", y)
    checks.same_width("x", x, "y", y)
    checks.count("subsets", subsets)
    checks.count("size", size, least=2)
    if min(len(x), len(y)) < size:
        raise InputError(
            f"subsets of {size} need at least as many examples: got {len(x)} and {len(y)}; "
            f"give more, or size={min(len(x), len(y))} or less (and report it with the result)."
        )
    rng = np.random.RandomState(seed)

    def subset_of(z):
        return z[rng.choice(len(z), size, replace=False)].astype(np.float64)

    if size == len(x) == len(y):
        subsets = 1
    distances = [_discrepancy(subset_of(x), subset_of(y)) for _ in range(subsets)]
    return KernelDistance(float(np.mean(distances)), float(np.std(distances)))


def _discrepancy(x, y):
    """Unbiased squared MMD of two samples of one size. Shapes: [N, D], [N, D] -> []."""
    n = len(x)
    within = sum(gram.sum() - gram.trace() for gram in (_kernel(x, x), _kernel(y, y)))
    return within / (n * (n - 1)) - 2 * _kernel(x, y).mean()


def _kernel(x, y):
    gram = x @ y.T / x.shape[1] + 1
    return gram * gram * gram  # a tenth of the time of a power
