"""A number and how it was had. Two numbers compare where their protocols are the same, whoever made them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any, NamedTuple

import jax

import genjax
from genjax.config import differences

NOT_COMPARED = ("versions",)
"""Parts of a protocol that are told, but whose difference does not forbid a comparison: results agree to rounding."""


class Result(NamedTuple):
    """What one metric found."""

    metric: str  # its name in genjax.evaluation.metrics.METRICS
    values: dict[str, float]  # by what is printed before the number
    protocol: dict[str, Any]
    seconds: float

    def row(self, step: int, of: Mapping[str, Any] | None) -> dict[str, Any]:
        """As a line of metrics.jsonl has it, with a description of what was judged; see files.read_evaluations."""
        found = {"step": step, "evaluation": self.metric, "values": self.values, "of": of, "protocol": self.protocol}
        return found | {"seconds": round(self.seconds, 3)}


def versions() -> dict[str, str]:
    """The packages that have a say in a number, and the backend."""
    packages = {name: metadata.version(name) for name in ("jax", "numpy", "scipy")}
    return {"genjax": genjax.__version__, **packages, "backend": jax.default_backend()}


def key(protocol: Mapping[str, Any]) -> str:
    """Eight hex digits that two protocols share where their numbers compare."""
    text = json.dumps(_compared(protocol), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def incomparable(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What forbids to compare two numbers, a line each: "samples.count: 2000 -> 10000"."""
    return list(differences(_compared(one), _compared(other)))


def by_protocol(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Rows of evaluations that compare with each other, by metric and key of their protocol."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["evaluation"], key(row["protocol"])), []).append(row)
    return groups


def _compared(protocol):
    return {name: part for name, part in protocol.items() if name not in NOT_COMPARED}
