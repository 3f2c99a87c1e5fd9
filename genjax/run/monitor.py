"""Warnings of a failing run from its rows of metrics: vanishing modes, a critic's loss at zero, diverging losses."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from genjax.data import Source
from genjax.metrics import count_modes, distances
from genjax.text import number

DIVERSITY = "samples/diversity"
WARNINGS = "warnings"
"""The key of a row's warnings: a list of lines."""

MAX_COMPARED = 256
"""Number of examples that are compared; their distances take milliseconds."""

# Thresholds from runs that learned and runs that failed: docs/gans.md.
REACHED = 0.4  # the diversity after which a loss of half of it is a warning
LEAST = 0.3  # the diversity that a generator that learns exceeds ...
EARLY = 4  # ... by this measurement
ZERO = 0.01  # a critic's loss below this ...
ZEROS = 3  # ... in this many consecutive rows is a warning
GROWTH = 20  # a loss beyond this multiple of the median of its first half ...
ROWS = 5  # ... in this many consecutive rows is a warning
SMALL = 10.0  # a median below this counts as this
LIMIT = 1e6  # a loss beyond this is always a warning

REMEDIES = {
    **dict.fromkeys(
        ("gan", "msggan", "progressive", "stylegan2", "translation"), "lower the learning rates, or set penalty.r1"
    ),
    "vae": "increase latent, or lower elbo.beta",
}
"""Advice against vanishing modes, by task; it names keys of the task's config."""


def diversity(source: Source, count: int) -> Callable[[np.ndarray], float | None]:
    """A function of examples: their diversity relative to that of equally many examples of the data.

    1 is the data's diversity, 0 a collapse. In general it is the ratio of mean Euclidean distances to the nearest
    neighbor within each set; for a mixture with known modes, exp(-KL(modes of samples || modes)), which is n / N for n
    of N modes in equal shares. None if there is nothing to compare: a single example, data that are all the same,
    examples that are not finite.
    Shapes: examples [N, *shape], of which the first `count`, at most `MAX_COMPARED`, are compared.
    """
    mixture = source.mixture

    def of_modes(x):
        if not np.isfinite(x).all():
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few samples, which a trend may have
            return float(np.exp(-count_modes(x, mixture.centers, mixture.std).kl))

    if mixture is not None:
        return of_modes
    count = min(count, source.size, MAX_COMPARED)
    reals = source.read(np.sort(np.random.default_rng(0).choice(source.size, count, replace=False)))
    data_spacing = _spacing(reals) if count > 1 else 0.0

    def of_distances(x):
        return _spacing(x[:count]) / data_spacing if data_spacing and np.isfinite(x).all() else None

    return of_distances


def _spacing(x: np.ndarray) -> float:
    x = x.reshape(len(x), -1)
    return float(np.sqrt(distances.knn_radii_sq(x, 1, distances.center(x))).mean())


class Alert(NamedTuple):
    """A condition at one row: `warning` is logged when it begins, `all_clear` when it ends."""

    name: str
    begins: bool
    ends: bool
    warning: str
    all_clear: str


class Monitor:
    """Reads a run's rows of metrics in order, and gives a line when a sign of failure begins and when it ends.

    Its state depends on the rows alone: replaying metrics.jsonl restores it after a restart.
    """

    def __init__(self, task: str):
        """The task's name, as in its config."""
        self.remedy = REMEDIES.get(task, "lower the learning rates")
        self.active: set[str] = set()  # names of alerts that have begun and not ended
        self.best = 0.0  # the largest diversity so far
        self.measurements = 0  # of diversity so far
        self.critic: list[tuple[float, float]] = []  # loss and margin in the last rows
        self.sizes: dict[str, list[float]] = {}  # loss -> absolute values in all rows
        self.bounds: dict[str, float] = {}  # loss -> the size above which it is too large

    def read(self, row: Mapping[str, Any]) -> list[str]:
        """Lines for a row: one per alert that begins or ends."""
        lines = []
        for alert in self._alerts(row):
            if alert.name not in self.active and alert.begins:
                self.active.add(alert.name)
                lines.append(f"warning: step {row['step']:,}: {alert.warning}")
            elif alert.name in self.active and alert.ends:
                self.active.remove(alert.name)
                lines.append(f"step {row['step']:,}: {alert.all_clear}")
        return lines

    def _alerts(self, row: Mapping[str, Any]) -> Iterator[Alert]:
        if DIVERSITY in row:
            yield self._modes(row[DIVERSITY])
        if {"critic/loss", "critic/real", "critic/fake"} <= row.keys():
            yield self._critic(row["critic/loss"], row["critic/real"] - row["critic/fake"])
        for name, value in row.items():
            if "loss" in name.lower() and isinstance(value, float):
                yield self._loss(name, abs(value))

    def _modes(self, value: float) -> Alert:
        """Half of the best diversity is lost, or there has never been enough."""
        self.best = max(self.best, min(value, 1.0))  # noise has more diversity than the data
        self.measurements += 1
        vanishing = self.best >= REACHED and value < self.best / 2
        missing = self.measurements >= EARLY and value < LEAST
        ends = value > 1.5 * max(self.best / 2, LEAST)
        claim = f"samples have {value:.2f} of the data's diversity"
        diagnosis = f", after {self.best:.2f}: modes are vanishing" if vanishing else ": modes are missing"
        warning = f"{claim}{diagnosis}; {self.remedy}"
        return Alert("modes", vanishing or missing, ends, warning, f"{claim} again")

    def _critic(self, loss: float, margin: float) -> Alert:
        """The loss is near its floor at zero while reals and fakes are separated; Wasserstein's is minus the margin."""
        self.critic = [*self.critic, (loss, margin)][-ZEROS:]
        begins = len(self.critic) == ZEROS and all(0 <= loss < ZERO and margin > 0.5 for loss, margin in self.critic)
        ends = all(loss > 5 * ZERO for loss, _ in self.critic)
        warning = (
            f"critic/loss is {number(loss)}: the critic separates all fakes, and the generator learns little; "
            "the two learning rates are out of balance"
        )
        return Alert("critic", begins, ends, warning, f"critic/loss is {number(loss)} again")

    def _loss(self, name: str, size: float) -> Alert:
        """The loss is far beyond its median in the first half of the run.

        Exponential growth exceeds any multiple of that median, growth as t^4 does not.
        """
        sizes = self.sizes.setdefault(name, [])
        sizes.append(size)
        if name not in self.active:  # the bound is frozen during an alert, else it would grow with the loss
            past = np.median(sizes[: len(sizes) // 2]) if len(sizes) >= 2 * ROWS else LIMIT
            self.bounds[name] = min(GROWTH * max(past, SMALL), LIMIT)
        bound = self.bounds[name]
        warning = f"{name} grows without bound, to {number(size)} in size; lower the learning rates"
        begins = size > LIMIT or min(sizes[-ROWS:]) > bound
        return Alert(name, begins, size < bound, warning, f"{name} is {number(size)} in size again")
