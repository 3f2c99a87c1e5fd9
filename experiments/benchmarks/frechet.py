"""Time the Fréchet distance against the usual algorithms: python -m experiments.benchmarks.frechet

The inputs are two sets of features with as many dimensions as Inception's, correlated by random projections. The
algorithms differ in the trace of (S1 S2)^1/2: `scipy.linalg.sqrtm` of the product, and the roots of its eigenvalues by
`numpy.linalg.eigvals`, as in torch-fidelity. All must give the same distance. Run it on a quiet machine.
"""

import time
from collections.abc import Callable

import numpy as np
import scipy.linalg
from absl import flags

from genjax.cli import entry
from genjax.errors import InputError
from genjax.metrics import Moments, frechet_distance
from genjax.text import table

FLAGS = flags.FLAGS

TOLERANCE = 1e-6
"""Largest difference of the distances, relative to the sum of both traces."""


def define_flags() -> None:
    """Define the flags of this command."""
    flags.DEFINE_integer("width", 2048, "Dimensions of a feature.", lower_bound=1)
    flags.DEFINE_integer("repeats", 1, "Runs per algorithm; the fastest one counts.", lower_bound=1)


def main() -> int:
    """Measure and print. Returns: the exit code."""
    print(as_text(measure(FLAGS.width, FLAGS.repeats)))
    return 0


def measure(width: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Seconds and processor seconds by algorithm. Raises: InputError if their distances disagree."""
    a, b = (moments(seed, width) for seed in (0, 1))
    times = {}
    distances = {}
    for name, distance in ALGORITHMS.items():
        spent = []
        for _ in range(repeats):
            start = time.perf_counter()
            used = time.process_time()
            distances[name] = distance(a.mean, a.cov, b.mean, b.cov)
            spent.append((time.perf_counter() - start, time.process_time() - used))
        times[name] = min(spent)
    size = np.trace(a.cov) + np.trace(b.cov)
    if not np.ptp(list(distances.values())) <= TOLERANCE * size:
        raise InputError(f"the distances disagree: {distances}, expected the same to {TOLERANCE} of {size:.3g}")
    return times


def moments(seed: int, width: int) -> Moments:
    """Moments of random features, five examples per dimension."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(width, width)) / np.sqrt(width)
    return Moments.empty(width).add(rng.normal(size=(5 * width, width)) @ mix)


def by_sqrtm(mean1, cov1, mean2, cov2):
    """The distance by the square root of a matrix."""
    return _distance(mean1, cov1, mean2, cov2, np.trace(scipy.linalg.sqrtm(cov1 @ cov2)).real)


def by_eigenvalues(mean1, cov1, mean2, cov2):
    """The distance by the roots of eigenvalues."""
    return _distance(mean1, cov1, mean2, cov2, np.sqrt(np.linalg.eigvals(cov1 @ cov2).astype(complex)).real.sum())


def _distance(mean1, cov1, mean2, cov2, overlap):
    return float(np.sum((mean1 - mean2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2 * overlap)


ALGORITHMS: dict[str, Callable] = {
    "frechet_distance": frechet_distance,
    "scipy.linalg.sqrtm": by_sqrtm,
    "numpy.linalg.eigvals": by_eigenvalues,
}


def as_text(times: dict[str, tuple[float, float]]) -> str:
    """The times as a table."""
    return table([(name, *each) for name, each in times.items()], ("algorithm", "seconds", "processor seconds"))


if __name__ == "__main__":
    define_flags()
    entry.run(main)
