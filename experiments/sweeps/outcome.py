"""Progress and results of a sweep's run, read from its folder."""

from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from experiments.sweeps.plan import Run
from genjax.engine.checkpoint import Checkpoints
from genjax.run.records import read_evaluations, read_metrics
from genjax.run.training_metrics import BETTER

DONE, BROKEN, TO_DO = "done", "broken", "to do"


class Number(NamedTuple):
    """A value, its protocol (numbers of training have none) and its better direction."""

    value: float
    protocol: dict[str, Any] | None
    better: str | None


def reached(run: Run) -> int:
    """The step of the newest checkpoint; 0 if there is none. Of runs that train together, the least."""
    return min(max(Checkpoints(member.path / "checkpoints").steps(), default=0) for member in run.members)


def state(run: Run) -> str:
    """Done (trained to the end, and evaluated if the config asks for it), broken, or to do."""
    if run.others:
        states = {state(member) for member in run.members}
        return states.pop() if len(states) == 1 else BROKEN
    if (
        reached(run) == run.steps
        and read_metrics(run.path / "metrics.jsonl")
        and is_evaluated(run.path, run.config, run.steps)
    ):
        return DONE
    return BROKEN if (run.path / "config.json").exists() else TO_DO


def is_evaluated(path: Path, config: ConfigDict, step: int) -> bool:
    """True if a run has the evaluation of its last step, or its config asks for none."""
    return not config.eval.every or any(row["step"] == step for row in read_evaluations(path / "metrics.jsonl"))


def numbers(run: Run) -> dict[str, Number]:
    """Numbers of a finished run's last step by name: of its evaluation, and of its last row of training.

    If there are several protocols, because the run was evaluated again, the first is the run's own.
    """
    file = run.path / "metrics.jsonl"
    result = {}
    for row in read_evaluations(file):
        if row["step"] == run.steps:
            for name, value in row["values"].items():
                result.setdefault(name, Number(float(value), row["protocol"], row.get("better", {}).get(name)))
    for row in read_metrics(file)[-1:]:
        for name, value in row.items():
            if isinstance(value, int | float) and name != "step":
                result.setdefault(name, Number(float(value), None, BETTER.get(name)))
    return result


def seconds(run: Run) -> float:
    """Seconds of training."""
    return float(read_metrics(run.path / "metrics.jsonl")[-1]["seconds"])
