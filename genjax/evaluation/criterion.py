"""The number of an evaluation that says how good a run is: `eval.best`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_collections import ConfigDict

from genjax.errors import InputError, did_you_mean
from genjax.evaluation.metric import HIGHER, Metric, Quantity

if TYPE_CHECKING:
    from genjax.metrics.features import FeatureNet


class Judged(NamedTuple):
    """The number of one evaluation, with all that it depends on."""

    label: str
    value: float
    better: str  # LOWER or HIGHER
    protocol: dict[str, Any]

    def betters(self, other: float) -> bool:
        """Whether the number is better than another one; NaN never is."""
        return self.value > other if self.better == HIGHER else self.value < other


class Criterion(NamedTuple):
    """A number by its name: that of a metric, whose first number with a better direction it is, or a value's label.

    A label may lack the name of its feature net: "Recall" is the first of "Recall (squeezenet)" and others.
    """

    name: str

    def names(self, metric: str, label: str) -> bool:
        """Whether a value of a metric may be the number."""
        return metric == self.name or label == self.name or label.startswith(f"{self.name} (")

    def find(self, rows: Sequence[Mapping[str, Any]]) -> Judged | None:
        """The number among the rows of an evaluation, if it gave one."""
        for row in rows:
            for label, better in row.get("better", {}).items():
                if self.names(row["evaluation"], label):
                    return Judged(label, float(row["values"][label]), better, row["protocol"])
        return None


def parse(
    config: ConfigDict, metrics: Sequence[Metric], nets: "Sequence[FeatureNet]", makes_samples: bool
) -> Criterion | None:
    """The criterion of config.eval, None without one. `metrics` and `nets` are those that it evaluates with.

    Raises: InputError if eval.best names none of their numbers, or one that has no better direction.
    """
    name, patience = config.best, config.patience
    if patience < 0 or (patience and not name):
        needs = "needs eval.best, the number that is to improve" if patience > 0 else "expected 0 (never stop) or more"
        raise InputError(f"eval.patience={patience}: {needs}")
    if not name:
        return None
    if not config.every:
        raise InputError(f"eval.best={name!r} needs evaluations: set eval.every, the steps between them")
    applicable = [m for m in metrics if (makes_samples or not m.samples) and (nets or not m.per_net)]
    if name in {m.name for m in metrics} - {m.name for m in applicable}:
        raise InputError(f"eval.best={name!r}: this task and these data do not have it; {_choices(applicable)}")
    named = [q for m in applicable for q in m.quantities if name == m.name or _gives(m, q, nets, name)]
    if not named:
        near = did_you_mean(name, list(_names(applicable)))
        raise InputError(f"eval.best={name!r}: no such number{near}; {_choices(applicable)}")
    if not any(quantity.better for quantity in named):
        raise InputError(f"eval.best={name!r}: neither higher nor lower is better; {_choices(applicable)}")
    return Criterion(name)


def _gives(metric: Metric, quantity: Quantity, nets: "Sequence[FeatureNet]", label: str) -> bool:
    """Whether a value of the quantity may have a label, with or without a net's name (see `Quantity.value`)."""
    name = re.sub(r"\\\{\w+\\\}", ".+", re.escape(quantity.name)) + "(, .+)?"
    for net in nets if metric.per_net else [None]:
        usual = net is not None and net.is_fid_inception and quantity.with_inception
        suffix = "" if net is None else rf"( \({re.escape(net.name)}\))?"
        if label == usual if usual else re.fullmatch(name + suffix, label):
            return True
    return False


def _names(metrics: Sequence[Metric]) -> Iterator[str]:
    """The values that eval.best may have: metrics with a better direction, then their quantities."""
    directed = [m for m in metrics if any(q.better for q in m.quantities)]
    yield from (m.name for m in directed)
    yield from (q.name for m in directed for q in m.quantities if q.better)


def _choices(metrics: Sequence[Metric]) -> str:
    names = ", ".join(_names(metrics))
    return f"choose from {names}" if names else "no number of eval.metrics can be it"
