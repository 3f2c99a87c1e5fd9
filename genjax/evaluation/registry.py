"""The metrics by name: what --metrics, config.eval.metrics, their messages and docs/metrics.md are made from.

`python -m genjax.evaluation.registry` prints the table of docs/metrics.md.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from genjax import extensions
from genjax.errors import InputError
from genjax.evaluation import (
    feature_metrics,
    metric,
    run_metrics,
    sample_metrics,
    series_metrics,
    text_metrics,
    translation_metrics,
)
from genjax.evaluation.metric import Metric

METRICS: dict[str, Metric] = {
    record.name: record
    for module in (feature_metrics, sample_metrics, series_metrics, text_metrics, run_metrics, translation_metrics)
    for record in vars(module).values()
    if isinstance(record, Metric)
}
"""Name -> record, in the order of `--metrics=all`."""


def parse(text: str, flag: str = "--metrics") -> list[Metric]:
    """The metrics of a list such as "frechet,swd,mine.metrics:brightness"; "all" stands for all of METRICS.

    Raises: InputError for an unknown name, or for an object of another package that is not a metric.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(f"{flag}={text!r} names no metric: expected all, or some of {', '.join(METRICS)}")
    chosen = dict(METRICS) if "all" in names else {}
    chosen |= {name: _find(name, flag) for name in names if name != "all"}
    return list(chosen.values())


def _find(name: str, flag: str) -> Metric:
    record = extensions.find({"all": None, **METRICS}, name, flag, metric.check)
    if name in METRICS:
        return record
    return replace(record, name=name, code_sha256=extensions.digests({"metrics": name}).get(name, ""))


def need_heldout(metrics: Iterable[Metric]) -> bool:
    """True if one of the metrics uses held-out examples."""
    return any(record.heldout for record in metrics)


def help_text() -> str:
    """One line per metric, for --help."""
    return "\n".join(f"{record.name}: {record.summary}." for record in METRICS.values())


def as_markdown() -> str:
    """The table of docs/metrics.md."""
    rows = ["| `--metrics` | Measures | Better | Applies to |", "|---|---|---|---|"]
    rows += [f"| `{r.name}` | {r.summary} | {r.directions} | {r.applies_to} |" for r in METRICS.values()]
    return re.sub(r"\{(\w+)\}", r"*\1*", "\n".join(rows))  # parts of labels that depend on the run, in italics


if __name__ == "__main__":
    print(as_markdown())
