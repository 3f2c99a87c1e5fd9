"""A number and how it was had. Two numbers compare where their protocols are the same, whoever made them."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any, NamedTuple

import jax

import genjax


class Result(NamedTuple):
    """What one metric found."""

    metric: str  # its name in genjax.evaluation.registry.METRICS
    values: dict[str, float]  # by what is printed before the number
    protocol: dict[str, Any]
    seconds: float

    def row(self, step: int, of: Mapping[str, Any] | None) -> dict[str, Any]:
        """As a line of metrics.jsonl has it, with a description of what was judged; see records.read_evaluations."""
        found = {"step": step, "evaluation": self.metric, "values": self.values, "of": of, "protocol": self.protocol}
        return found | {"seconds": round(self.seconds, 3)}


def versions() -> dict[str, str]:
    """The packages that have a say in a number, and the backend."""
    packages = {name: metadata.version(name) for name in ("jax", "numpy", "scipy")}
    return {"genjax": genjax.__version__, **packages, "backend": jax.default_backend()}
