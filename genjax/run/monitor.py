"""Signs of a failing run, read from its rows of metrics: vanishing modes, a critic's loss at zero, diverging losses."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from genjax.data import Source
from genjax.metrics import count_modes, distances
from genjax.text import number

DIVERSITY = "samples/diversity"
WARNINGS = "warnings"
"""The key of a row's warnings: a list of lines."""

MOST = 256
"""Examples that are compared: so many distances take milliseconds."""

# Set by what runs that learned and runs that failed had: docs/gans.md.
FOUND = 0.4  # a diversity that can be lost
LEAST, EARLY = 0.3, 4  # what a generator that learns is above by its fourth image
ZERO, ZEROS = 0.01, 3  # a critic's loss, in so many rows in turn
GROWTH, ROWS = 20, 5  # times the past, in so many rows in turn
SMALL, LIMIT = 10.0, 1e6  # a past below the first counts as the first; beyond the second no loss is sound

REMEDIES = {
    "gan": "lower the learning rates, or set penalty.r1",
    "vae": "give it more latents, or lower elbo.beta",
}
"""What brings modes back, by task."""


def diversity(source: Source, count: int) -> Callable[[np.ndarray], float | None]:
    """How varied examples are, as a share of what as many of the data's own are: 1 is the data, 0 a collapse.

    Of images, the ratio of the mean Euclidean distances to the nearest other one of the set. Of a mixture, whose
    modes are known, exp(-KL(samples' modes || distribution)): with n of N modes, all alike, n / N. None where there is
    nothing to compare: a single example, data that are all the same, examples that are not finite.
    Shapes: examples [N, *shape], of which `count` and at most `MOST` images count.
    """
    mixture = source.mixture
    if mixture is not None:
        return lambda x: (
            float(np.exp(-count_modes(x, mixture.centers, mixture.std).kl)) if np.isfinite(x).all() else None
        )
    count = min(count, source.size, MOST)
    reals = source.read(np.sort(np.random.default_rng(0).choice(source.size, count, replace=False)))
    typical = _spacing(reals) if count > 1 else 0.0
    return lambda x: _spacing(x[:count]) / typical if typical and np.isfinite(x).all() else None


def _spacing(x: np.ndarray) -> float:
    x = x.reshape(len(x), -1)
    return float(np.sqrt(distances.knn_radii_sq(x, 1, distances.center(x))).mean())


class Alert(NamedTuple):
    """A state to warn of, as one row has it: `why` is said when it begins, `relief` when it ends."""

    name: str
    begins: bool
    ends: bool
    why: str
    relief: str


class Monitor:
    """Reads a run's rows of metrics in their order and says when a sign of failure comes and when it goes.

    What it says of a row follows from the rows up to it: whoever reads a run's rows again goes on as if never stopped.
    """

    def __init__(self, task: str):
        """The task's name, as in its config."""
        self.remedy = REMEDIES.get(task, "lower the learning rates")
        self.standing: set[str] = set()  # the names of what has begun and not ended
        self.best, self.looks = 0.0, 0  # the largest diversity so far, and of how many
        self.critic: list[tuple[float, float]] = []  # loss and margin in the last rows
        self.sizes: dict[str, list[float]] = {}  # of a loss, in all rows
        self.bounds: dict[str, float] = {}  # beyond which it is too large

    def read(self, row: Mapping[str, Any]) -> list[str]:
        """What there is to say of a row: a line when a state begins, and one when it ends."""
        lines = []
        for sign in self._signs(row):
            if sign.name not in self.standing and sign.begins:
                self.standing.add(sign.name)
                lines.append(f"warning: step {row['step']:,}: {sign.why}")
            elif sign.name in self.standing and sign.ends:
                self.standing.remove(sign.name)
                lines.append(f"step {row['step']:,}: {sign.relief}")
        return lines

    def _signs(self, row: Mapping[str, Any]) -> Iterator[Alert]:
        if DIVERSITY in row:
            yield self._modes(row[DIVERSITY])
        if {"critic/loss", "critic/real", "critic/fake"} <= row.keys():
            yield self._critic(row["critic/loss"], row["critic/real"] - row["critic/fake"])
        for name, value in row.items():
            if "loss" in name.lower() and isinstance(value, float):
                yield self._loss(name, abs(value))

    def _modes(self, value: float) -> Alert:
        """Half of the best is lost, or there has never been enough."""
        self.best, self.looks = max(self.best, min(value, 1.0)), self.looks + 1  # noise has more than the data
        vanish = self.best >= FOUND and value < self.best / 2
        missing = self.looks >= EARLY and value < LEAST
        ends = value > 1.5 * max(self.best / 2, LEAST)
        have = f"samples have {value:.2f} of the data's diversity"
        what = f", after {self.best:.2f}: modes are vanishing" if vanish else ": modes are missing"
        return Alert("modes", vanish or missing, ends, f"{have}{what}; {self.remedy}", f"{have} again")

    def _critic(self, loss: float, margin: float) -> Alert:
        """A loss with a floor at zero comes near it by telling reals from fakes; Wasserstein's is minus the margin."""
        self.critic = [*self.critic, (loss, margin)][-ZEROS:]
        begins = len(self.critic) == ZEROS and all(0 <= loss < ZERO and margin > 0.5 for loss, margin in self.critic)
        ends = all(loss > 5 * ZERO for loss, _ in self.critic)
        hint = "the two learning rates are out of balance"
        why = f"critic/loss is {number(loss)}: the critic tells every fake, and the generator learns little; {hint}"
        return Alert("critic", begins, ends, why, f"critic/loss is {number(loss)} again")

    def _loss(self, name: str, size: float) -> Alert:
        """Far beyond the run's first half: exponential growth leaves any multiple of that behind, t^4 does not."""
        sizes = self.sizes.setdefault(name, [])
        sizes.append(size)
        if name not in self.standing:  # else it would get used to what it warned of
            past = np.median(sizes[: len(sizes) // 2]) if len(sizes) >= 2 * ROWS else LIMIT
            self.bounds[name] = min(GROWTH * max(past, SMALL), LIMIT)
        bound = self.bounds[name]
        why = f"{name} grows without bound, to {number(size)} in size; lower the learning rates"
        begins = size > LIMIT or min(sizes[-ROWS:]) > bound
        return Alert(name, begins, size < bound, why, f"{name} is {number(size)} in size again")
