"""The best step of a run, by the number that `eval.best` names, and how long the run goes on without a better one."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from genjax.evaluation.criterion import Criterion
from genjax.report.results import incomparable
from genjax.run.counters import Counters
from genjax.run.training_metrics import HIGHER
from genjax.text import number


def judge(criterion: Criterion, rows: Sequence[Mapping[str, Any]], step: int, counters: Counters) -> str:
    """Count an evaluation: a better one becomes `counters.best`. Returns: a line to say, or "".

    Only comparable numbers are compared: one by another protocol than the best takes its place.
    """
    judged = criterion.find(rows)
    if judged is None:
        return f"warning: step {step:,}: the evaluation has no number of eval.best={criterion.name!r}"
    best = counters.best
    differs = best and (best["label"] != judged.label or incomparable(best["protocol"], judged.protocol))
    if not judged.betters(best["value"] if best and not differs else _worst(judged)):
        counters.waited += 1
        return ""
    counters.waited = 0
    counters.best = {"step": step, "label": judged.label, "value": judged.value, "protocol": judged.protocol}
    earlier = f", after {number(best['value'])} at step {best['step']:,}" if best and not differs else ""
    return f"step {step:,}: the best so far, {judged.label} {number(judged.value)}{earlier}"


def _worst(judged):
    return -inf if judged.better == HIGHER else inf


def resumed(counters: Counters, criterion: Criterion | None) -> Counters:
    """The totals of a run that goes on; by another criterion than before, the waiting begins again."""
    best = counters.best
    if best and criterion and not criterion.names(best["protocol"]["metric"], best["label"]):
        counters.waited = 0
    return counters


def description(counters: Counters) -> dict[str, Any]:
    """The best evaluation as config.json records it; empty if there is none."""
    if not counters.best:
        return {}
    return {key: counters.best[key] for key in ("step", "label", "value")} | {"evaluations_since": counters.waited}


def gave_up(patience: int, counters: Counters) -> str:
    """Why a run stops before its last step, in words; "" if it goes on."""
    if not patience or counters.waited < patience:
        return ""
    since = f"{counters.waited} evaluation{'s' if counters.waited > 1 else ''} (eval.patience={patience})"
    if not counters.best:
        return f"no number in {since}"
    best = counters.best
    return f"{best['label']} has not improved in {since}; the best is {number(best['value'])} at step {best['step']:,}"
