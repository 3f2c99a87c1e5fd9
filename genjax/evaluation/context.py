"""What is judged, against what, seen by which nets: all that a metric may ask for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genjax.data.source import Source
from genjax.engine.phase import Task
from genjax.engine.state import State, local
from genjax.evaluation.features import FeatureCache, Features
from genjax.metrics.features import FeatureNet
from genjax.metrics.frechet import Moments


@contextmanager
def silent(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Long work of which nothing is shown, where report.console.watch would."""
    yield lambda done: None


@dataclass
class EvalContext:
    """One evaluation. What is made for one metric is kept for the others."""

    samples: Source | None  # of a model, or anybody's images; None for a task that makes none
    reference: Source  # what samples should be like
    heldout: Source | None  # examples of the reference's distribution that nothing was trained on
    nets: list[FeatureNet]
    task: Task | None = None  # of a run
    state: State | None = None
    options: dict[str, Any] = field(default_factory=dict)  # of the task's outputs: ema, truncation
    watch: Callable[[str, int], Any] = silent  # how long work is shown
    artifacts: dict[str, Any] = field(default_factory=dict)  # images that metrics made, by file name
    _seen: dict[tuple[str, str], Features] = field(default_factory=dict)
    _taken: dict[str, np.ndarray] = field(default_factory=dict)
    _stores: dict[tuple[str, str], FeatureCache] = field(default_factory=dict)

    def subject(self) -> dict[str, Any] | None:
        """What was judged, beside the protocol of how."""
        if self.samples is None:
            return None
        averaged = {"averaged": bool(self.options.get("ema") and self.state.ema)} if self.state else {}
        return self.samples.describe() | averaged

    @property
    def local_state(self) -> State:
        """The run's state on this process's device."""
        return local(self.state)

    def look(self, net: FeatureNet, which: str, classes: bool) -> None:
        """Have a net look at the "samples" or the "reference"; several processes do it together."""
        source = getattr(self, which)
        if source is None or len(source.shape) == 1:
            return
        store = self._stores[net.name, which] = FeatureCache(net, source, source.size, classes, which)
        with self.watch(f"{which}: {net.name}", source.size) as on_progress:
            store.fill(on_progress)

    def seen(self, net: FeatureNet, which: str) -> Features:
        """What a net saw."""
        if (net.name, which) not in self._seen:
            store = self._stores.get((net.name, which))
            self._seen[net.name, which] = store.read() if store else _points(getattr(self, which))
        return self._seen[net.name, which]

    def take(self, which: str, most: int) -> np.ndarray:
        """The first examples of a source, at most so many."""
        source = getattr(self, which)
        count = min(source.size, most)
        if len(self._taken.get(which, ())) < count:
            self._taken[which] = source.read(np.arange(count))
        return self._taken[which][:count]

    def forget_samples(self) -> None:
        """Drop what was kept in case this evaluation is stopped; what is known of the reference stays."""
        for (_, which), store in self._stores.items():
            if which == "samples":
                store.remove()


def _points(source: Source) -> Features:
    x = source.read(np.arange(source.size))
    return Features(Moments.empty(x.shape[1]).add(x), x, None)
