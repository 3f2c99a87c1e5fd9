"""The inputs of an evaluation: samples, reference, held-out examples, feature nets and a run, with caches."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from genjax.data.source import Source
from genjax.engine.phase import Task
from genjax.engine.state import State, local
from genjax.errors import NotApplicable
from genjax.evaluation import selection
from genjax.evaluation.examples import gather
from genjax.evaluation.features import MAX_IN_MEMORY, FeatureCache, Features
from genjax.evaluation.metric import Metric
from genjax.metrics.features import FeatureNet
from genjax.metrics.frechet import Moments

OnProgress = Callable[[int], Any]


@contextmanager
def silent(title: str, total: int) -> Iterator[OnProgress]:
    """Progress of long work that is not shown; `report.console.watch` shows it."""
    yield lambda done: None


@dataclass
class EvalContext:
    """One evaluation. Features and examples that several metrics need are computed once.

    Order: first all processes call `extract_features`, then process 0 computes metrics, which read `features`.
    """

    samples: Source | None  # of a model, or any images; None for a task that makes none
    reference: Source  # the data that samples are compared with
    heldout: Source | None  # examples of the reference's distribution that were not trained on
    nets: list[FeatureNet]  # empty if the samples have no features, as series
    task: Task | None = None  # of a run
    state: State | None = None
    options: dict[str, Any] = field(default_factory=dict)  # of the output "sample": ema, truncation, noise
    drawn: dict[str, Any] = field(default_factory=dict)  # how samples were: classes, chosen; of the protocol
    progress: Callable[[str, int], AbstractContextManager[OnProgress]] = silent  # shows long work: title, total
    before_each: Callable[[], None] = lambda: None  # called before each shard of features; may end the evaluation
    images: dict[str, Any] = field(default_factory=dict)  # images that metrics draw, by file name
    chosen: bool = False  # whether the metric in progress reads some examples of a larger set
    _caches: dict[tuple[str, str], FeatureCache] = field(default_factory=dict)
    _features: dict[tuple[str, str], Features] = field(default_factory=dict)
    _taken: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)  # indices, examples

    def describe_subject(self) -> dict[str, Any] | None:
        """Description of the samples, for the row of a result; None if there are none."""
        if self.samples is None:
            return None
        averaged = {"averaged": bool(self.options.get("ema") and self.state.ema)} if self.state else {}
        return self.samples.describe() | averaged

    @property
    def local_state(self) -> State:
        """The run's state on this process's device."""
        return local(self.state)

    def extract_features(self, metrics: Iterable[Metric], names: Iterable[str] = ("samples", "reference")) -> None:
        """Extract the features that metrics need into caches on disk. Collective: all processes call it together.

        `names` are the sources, "samples" and "reference". Points are their own features and need no extraction.
        """
        metrics = [record for record in metrics if record.per_net]
        probabilities = any(record.probabilities for record in metrics)
        needed = {"samples": bool(metrics), "reference": any(record.reference for record in metrics)}
        for net in self.nets:
            for name in names:
                source = getattr(self, name)
                if not needed[name] or source is None or _are_points(source):
                    continue
                cache = FeatureCache(net, source, source.size, probabilities, name)
                self._caches[net.name, name] = cache
                with self.progress(f"{name}: {net.name}", source.size) as on_progress:
                    cache.fill(on_progress, self.before_each)

    def moments(self, net: FeatureNet, name: str) -> Moments:
        """Moments of the features of all "samples" or the whole "reference". Raises: as `features`."""
        return self._read_features(net, name).moments

    def features(self, net: FeatureNet, name: str) -> Features:
        """Features of the "samples" or the "reference".

        Raises: RuntimeError if they were not extracted before (`extract_features`).
        """
        features = self._read_features(net, name)
        self.chosen |= len(features.features) < getattr(self, name).size
        return features

    def _read_features(self, net, name) -> Features:
        if (net.name, name) not in self._features:
            source = getattr(self, name)
            if _are_points(source):
                features = _features_of_points(source)
            elif (net.name, name) in self._caches:
                features = self._caches[net.name, name].read()
            else:
                raise RuntimeError(
                    f"features of the {name} by {net.name} are not extracted: call extract_features in all processes "
                    "before metrics are computed"
                )
            self._features[net.name, name] = features
        return self._features[net.name, name]

    def select(self, name: str, count: int, size: int = 0) -> np.ndarray:
        """Indices of at most `count` of the "samples", "reference" or "heldout", or of the `size` that are kept of it.

        The first ones of a run's samples, which are in no order; otherwise chosen by a fixed seed, which the protocol
        then has.
        """
        size = size or getattr(self, name).size
        if name == "samples" and self.task is not None:
            return np.arange(min(count, size))
        self.chosen |= count < size
        return selection.select(size, count)

    def take(self, name: str, count: int) -> np.ndarray:
        """At most `count` of the "samples", "reference" or "heldout" as `select` chooses them, not to be changed."""
        source = getattr(self, name)
        indices = self.select(name, count)
        if name not in self._taken or len(self._taken[name][0]) < len(indices):
            self._taken[name] = indices, gather(source, indices)
        taken, examples = self._taken[name]
        rows = np.searchsorted(taken, indices)
        if rows[-1] == len(rows) - 1:
            return examples[: len(rows)]
        return gather(replace(source, read=examples.__getitem__), rows)

    def need_outputs(self, *names: str) -> Task:
        """The run's task. Raises: NotApplicable if there is no run, or its task lacks one of the outputs."""
        if self.task is None:
            raise NotApplicable("it is of a run: give --workdir")
        lacking = [name for name in names if name not in self.task.outputs]
        if lacking:
            raise NotApplicable(f"the task has no output {lacking[0]!r}")
        return self.task

    def need_heldout(self) -> Source:
        """The held-out examples. Raises: NotApplicable if there are none."""
        if self.heldout is None:
            raise NotApplicable("it needs examples that were not trained on: name their split with --heldout")
        return self.heldout

    def forget_samples(self) -> None:
        """Delete the cached features of samples, which serve to resume a stopped evaluation; keep the reference's."""
        for (_, name), cache in self._caches.items():
            if name == "samples":
                cache.remove()


def _are_points(source: Source) -> bool:
    return len(source.shape) == 1


def _features_of_points(source: Source) -> Features:
    x = source.read(np.arange(source.size))
    return Features(Moments.empty(x.shape[1]).add(x), x[selection.select(len(x), MAX_IN_MEMORY)], None)
