"""Running totals of a run, which its checkpoints carry on to the process that resumes it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np


@dataclass
class Counters:
    """Metrics of the steps since the last row of metrics.jsonl, seconds spent, and the best evaluation."""

    pending: dict[str, list[float]] = field(default_factory=dict)  # metric -> values since the last row
    seconds: float = 0.0  # of training
    logged: float = 0.0  # of training, at the last row
    evaluation_seconds: float = 0.0
    best: dict[str, Any] = field(default_factory=dict)  # the best evaluation by eval.best: step, label, value, protocol
    waited: int = 0  # evaluations since then
    unevaluated: bool = False  # whether the evaluation of this step is still to be made, since a signal ended it

    def to_json(self) -> dict[str, Any]:
        """The metadata of a checkpoint."""
        return asdict(self)

    @classmethod
    def from_json(cls, metadata: Mapping[str, Any]) -> "Counters":
        """The counters of a checkpoint's metadata; those that it lacks begin at zero."""
        return cls(**{f.name: metadata[f.name] for f in fields(cls) if f.name in metadata})

    def add(self, metrics: Mapping[str, np.ndarray], seconds: float) -> None:
        """Count the steps of one call. Shapes: metrics [n], one value per step."""
        self.seconds += seconds
        for name, values in metrics.items():
            self.pending.setdefault(name, []).extend(values.tolist())

    def row(self, step: int, images_per_step: int) -> dict[str, Any]:
        """A row of metrics.jsonl: the means over the steps since the last row, which are then forgotten."""
        steps = max(map(len, self.pending.values()))
        means = {name: float(np.mean(values, dtype=np.float64)) for name, values in self.pending.items()}
        speed = round(steps * images_per_step / max(self.seconds - self.logged, 1e-9), 1)
        self.pending = {}
        self.logged = self.seconds
        return {"step": step, "seconds": round(self.seconds, 3), "images_per_second": speed, **means}
