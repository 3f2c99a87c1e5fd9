"""The record of a metric: its function, what it needs, and the numbers that it gives, each with its better direction.

A metric of one's own is a function with the decorator `metric`, named as "package.module:name" in --metrics or in
config.eval.metrics:

    from genjax.evaluation.metric import LOWER, Quantity, metric

    BRIGHTNESS = Quantity("Difference in brightness", LOWER, unit="gray levels")

    @metric(BRIGHTNESS)
    def brightness(context):
        \"""Difference of the mean pixels of samples and reference.\"""
        means = [context.take(name, 1000).mean() for name in ("samples", "reference")]
        return [BRIGHTNESS.value(abs(means[0] - means[1]))], {"count": 1000}

This module imports neither JAX nor nets, so that --help is quick.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from genjax.errors import InputError
from genjax.run.training_metrics import HIGHER, LOWER
from genjax.text import summary

if TYPE_CHECKING:
    from genjax.metrics.features import FeatureNet

FEW = 100
"""Examples below which a number depends more on which examples they are than on their distribution."""

ARROWS = {LOWER: "↓", HIGHER: "↑", None: ""}


class Value(NamedTuple):
    """One number of an evaluation."""

    label: str
    number: float
    better: str | None = None  # LOWER, HIGHER, or None where neither is better
    std: float | None = None  # standard deviation, if the metric gives one
    note: str = ""  # what a reader of this number should know, in a few words


@dataclass(frozen=True)
class Quantity:
    """A kind of number that a metric gives: its label, its unit, and which way it is better."""

    label: str  # may have {fields} that `value` fills in
    better: str | None
    unit: str = ""  # part of the label, as in "Divergence of modes in nats"; "" for shares and pure numbers
    with_inception: str = ""  # the usual name of this number on the published Inception features, such as "FID"

    @property
    def name(self) -> str:
        """The label with its unit."""
        return f"{self.label} in {self.unit}" if self.unit else self.label

    def value(
        self, number: float, net: "FeatureNet | None" = None, *, std: float | None = None, detail: str = "", **fields
    ) -> Value:
        """The value of this quantity; its label ends with `detail` and with the name of the feature net."""
        label = ", ".join(filter(None, [self.name.format(**fields), detail]))
        if net is not None:
            label = self.with_inception if net.is_fid_inception and self.with_inception else f"{label} ({net.name})"
        plain = number if isinstance(number, int) else float(number)
        return Value(label, plain, self.better, None if std is None else float(std))


Measured = tuple[list[Value], dict[str, Any]]
"""The values of a metric, and its settings for the protocol."""


@dataclass(frozen=True)
class Metric:
    """A metric as `genjax.evaluate` runs it: `measure(context)`, or `measure(context, net)` once per feature net."""

    name: str
    measure: Callable[..., Measured]
    summary: str  # one line for --help and the docs
    quantities: tuple[Quantity, ...]
    applies_to: str  # in words, for the docs
    per_net: bool = False  # called once per feature net
    samples: bool = True  # needs samples; their count and type are part of the protocol
    reference: bool = True  # needs the reference, which is part of the protocol
    heldout: bool = False  # uses held-out examples
    probabilities: bool = False  # needs class probabilities from the feature net
    own_progress: bool = False  # shows its own progress
    code_sha256: str = ""  # of the module of another package's metric; part of the protocol

    def __call__(self, *args: Any) -> Measured:
        """The values and settings: `measure` as it was decorated."""
        return self.measure(*args)

    @property
    def directions(self) -> str:
        """The quantities with an arrow for the better direction: "Precision ↑; Recall ↑"."""
        return "; ".join(f"{quantity.name} {ARROWS[quantity.better]}".strip() for quantity in self.quantities)


def metric(
    *quantities: Quantity,
    applies_to: str = "images, points",
    reference: bool = True,
    samples: bool = True,
    **needs: bool,
) -> Callable[[Callable[..., Measured]], Metric]:
    """Decorate a function of an EvalContext (and a FeatureNet, with per_net=True) as a metric.

    The function's name is the metric's, the first line of its docstring the summary; `needs` are fields of `Metric`.
    """

    def decorate(function: Callable[..., Measured]) -> Metric:
        return Metric(
            function.__name__,
            function,
            summary(function.__doc__),
            quantities,
            applies_to,
            samples=samples,
            reference=reference,
            **needs,
        )

    return decorate


def warn_of_few(count: int, text: str = "") -> None:
    """Warn of fewer than FEW examples, by default of the standard errors of shares, at most 0.5 / sqrt(count)."""
    if count < FEW:
        text = text or f"shares of {count} examples have standard errors of up to {0.5 / sqrt(count):.2f}"
        warnings.warn(f"{text}: take {FEW} or more", stacklevel=3)


def check(candidate: Any) -> None:
    """Refuse what is not a metric. Raises: InputError."""
    if not isinstance(candidate, Metric):
        raise InputError(
            f"it is {type(candidate).__name__}, not a metric: decorate a function of an EvalContext with "
            "@genjax.evaluation.metric.metric"
        )
    for quantity in candidate.quantities:
        if quantity.better not in ARROWS:
            raise InputError(f"{quantity.label!r} is better {quantity.better!r}: expected 'lower', 'higher' or None")
