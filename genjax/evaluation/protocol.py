"""Results with their protocols. Two numbers compare if their protocols are the same, whoever computed them."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any, NamedTuple

import jax

import genjax
from genjax.evaluation.metric import Value


class Result(NamedTuple):
    """The values of one metric, with all that they depend on."""

    metric: str  # its name in genjax.evaluation.registry.METRICS, or "package.module:name"
    values: list[Value]
    protocol: dict[str, Any]
    seconds: float

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers by label."""
        return {value.label: value.number for value in self.values}

    def row(self, step: int, subject: Mapping[str, Any] | None) -> dict[str, Any]:
        """A row of metrics.jsonl (`run.records.read_evaluations` reads it); `subject` describes the samples.

        "better", "std" and "notes" have the labels of values with a direction, a standard deviation or a note.
        """
        row = {
            "step": step,
            "evaluation": self.metric,
            "values": self.numbers,
            "better": {value.label: value.better for value in self.values if value.better},
            "std": {value.label: value.std for value in self.values if value.std is not None},
            "notes": {value.label: value.note for value in self.values if value.note},
            "of": subject,
            "protocol": self.protocol,
            "seconds": round(self.seconds, 3),
        }
        return {key: part for key, part in row.items() if key not in ("better", "std", "notes") or part}

    def as_json(self) -> list:
        """The result as lists that JSON keeps, to be sent to other processes."""
        return [self.metric, [list(value) for value in self.values], self.protocol, self.seconds]

    @classmethod
    def from_json(cls, parts: list) -> "Result":
        """The result that `as_json` describes."""
        metric, values, protocol, seconds = parts
        return cls(metric, [Value(*value) for value in values], protocol, seconds)


def versions() -> dict[str, str]:
    """Versions of the packages that a number may depend on, and the backend."""
    packages = {name: metadata.version(name) for name in ("jax", "numpy", "scipy")}
    return {"genjax": genjax.__version__, **packages, "backend": jax.default_backend()}
