"""Time the Fréchet distance against the usual ways: python -m experiments.benchmarks.frechet

Of two sets of features, as many as Inception's, correlated as random projections make them. The others differ in the
trace of (S1 S2)^1/2: `scipy.linalg.sqrtm` of the product, and the roots of its eigenvalues by `numpy.linalg.eigvals`,
which is torch-fidelity's way. All give the same distance or none is printed. Run it on a quiet machine.
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
"""How far distances may be apart, of the traces that they are differences of."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_integer("width", 2048, "Numbers of a feature.", lower_bound=1)
    flags.DEFINE_integer("repeats", 1, "Times that each is computed; the fastest one counts.", lower_bound=1)


def main() -> int:
    """Measure and print; the exit code."""
    print(as_text(measure(FLAGS.width, FLAGS.repeats)))
    return 0


def measure(width: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Seconds and processor seconds of each way. Raises: InputError if they disagree."""
    one, other = (moments(seed, width) for seed in (0, 1))
    times, distances = {}, {}
    for name, way in WAYS.items():
        spent = []
        for _ in range(repeats):
            start, used = time.perf_counter(), time.process_time()
            distances[name] = way(one.mean, one.cov, other.mean, other.cov)
            spent.append((time.perf_counter() - start, time.process_time() - used))
        times[name] = min(spent)
    size = np.trace(one.cov) + np.trace(other.cov)
    if not np.ptp(list(distances.values())) <= TOLERANCE * size:
        raise InputError(f"the distances disagree: {distances}, expected the same to {TOLERANCE} of {size:.3g}")
    return times


def moments(seed: int, width: int) -> Moments:
    """Of five examples a dimension."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(width, width)) / np.sqrt(width)
    return Moments.empty(width).add(rng.normal(size=(5 * width, width)) @ mix)


def by_sqrtm(mean1, cov1, mean2, cov2):
    """The distance with a matrix's square root."""
    return _distance(mean1, cov1, mean2, cov2, np.trace(scipy.linalg.sqrtm(cov1 @ cov2)).real)


def by_eigenvalues(mean1, cov1, mean2, cov2):
    """The distance with the roots of eigenvalues."""
    return _distance(mean1, cov1, mean2, cov2, np.sqrt(np.linalg.eigvals(cov1 @ cov2).astype(complex)).real.sum())


def _distance(mean1, cov1, mean2, cov2, overlap):
    return float(np.sum((mean1 - mean2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2 * overlap)


WAYS: dict[str, Callable] = {
    "frechet_distance": frechet_distance,
    "scipy.linalg.sqrtm": by_sqrtm,
    "numpy.linalg.eigvals": by_eigenvalues,
}


def as_text(times: dict[str, tuple[float, float]]) -> str:
    """The times as a table."""
    return table([(name, *each) for name, each in times.items()], ("way", "seconds", "processor seconds"))


if __name__ == "__main__":
    define_flags()
    entry.run(main)
