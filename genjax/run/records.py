"""The rows of metrics.jsonl: metrics of training, and results of evaluations."""

import json
import os
from pathlib import Path


def read_metrics(path: str | os.PathLike) -> list[dict]:
    """The rows of training in a metrics.jsonl by rising step, one a step; nothing if there is no such file.

    A line that is not whole (the process died while writing it) is skipped. Where a step was logged twice, as after
    a continuation from an earlier checkpoint, the later values hold.
    """
    rows: dict[int, dict] = {}
    for row in _lines(path):
        if "evaluation" not in row:
            rows.setdefault(int(row["step"]), {}).update(row)
    return [rows[step] for step in sorted(rows)]


def read_evaluations(path: str | os.PathLike) -> list[dict]:
    """The results in a metrics.jsonl by rising step, else in their order; a repetition replaces what it repeats.

    Each has "step", "evaluation" (the metric), "values" by label, "better" ("lower" or "higher") and "std" (standard
    deviations) by label where there are any, "of" (a description of the samples), "protocol" and "seconds".
    """
    found: dict[str, dict] = {}
    for row in _lines(path):
        if isinstance(row.get("values"), dict) and isinstance(row.get("protocol"), dict):
            what = [int(row["step"]), row["evaluation"], row["protocol"], row.get("of")]
            found[json.dumps(what, sort_keys=True)] = row
    return sorted(found.values(), key=lambda row: int(row["step"]))


def _lines(path):
    try:
        lines = Path(path).read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            row = json.loads(line)
            int(row["step"])
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
        yield row
