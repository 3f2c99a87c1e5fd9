"""How far a run of a sweep has come, and what it came to: all from its folder."""

from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from experiments.sweeps.plan import Run
from genjax.engine.checkpoint import Checkpoints
from genjax.run.records import read_evaluations, read_metrics

DONE, BROKEN, TO_DO = "done", "broken", "to do"


class Number(NamedTuple):
    """A value, and how it was had; the numbers of training have no protocol."""

    value: float
    protocol: dict[str, Any] | None


def reached(run: Run) -> int:
    """The newest checkpoint's step; 0 if there is none."""
    return max(Checkpoints(run.path / "checkpoints").steps(), default=0)


def state(run: Run) -> str:
    """Done (trained to the end, and judged if the config asks for it), broken, or to do."""
    if (
        reached(run) == run.steps
        and read_metrics(run.path / "metrics.jsonl")
        and judged(run.path, run.config, run.steps)
    ):
        return DONE
    return BROKEN if (run.path / "config.json").exists() else TO_DO


def judged(path: Path, config: ConfigDict, step: int) -> bool:
    """Whether a run has the evaluation of its last step, if its config asks for any."""
    return not config.eval.every or any(row["step"] == step for row in read_evaluations(path / "metrics.jsonl"))


def numbers(run: Run) -> dict[str, Number]:
    """What a finished run's last step was found to be, by name: its own evaluation, and its last row of training.

    Of a number that was had by several protocols, as when somebody judged the run again, the first is the run's own.
    """
    file, found = run.path / "metrics.jsonl", {}
    for row in read_evaluations(file):
        if row["step"] == run.steps:
            for name, value in row["values"].items():
                found.setdefault(name, Number(float(value), row["protocol"]))
    for row in read_metrics(file)[-1:]:
        for name, value in row.items():
            if isinstance(value, int | float) and name != "step":
                found.setdefault(name, Number(float(value), None))
    return found


def seconds(run: Run) -> float:
    """Of training."""
    return float(read_metrics(run.path / "metrics.jsonl")[-1]["seconds"])
