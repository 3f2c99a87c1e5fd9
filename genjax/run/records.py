"""Records of a run: the rows of metrics.jsonl, of training and of evaluations, and the terms of its first weights."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_metrics(path: str | os.PathLike) -> list[dict]:
    """The rows of training in a metrics.jsonl by increasing step, one per step; none if there is no such file.

    An incomplete line (the process died while writing it) is skipped. If a step was logged twice, as after resuming
    from an earlier checkpoint, the later values count.
    """
    rows: dict[int, dict] = {}
    for row in _lines(path):
        if "evaluation" not in row:
            rows.setdefault(int(row["step"]), {}).update(row)
    return [rows[step] for step in sorted(rows)]


def read_evaluations(path: str | os.PathLike) -> list[dict]:
    """Results in a metrics.jsonl by increasing step, then in their order; a repeated result replaces the earlier one.

    Each has "step", "evaluation" (the metric), "values" by label, "better" ("lower" or "higher"), "std" (standard
    deviations) and "notes" by label where there are any, "of" (a description of the samples), "protocol" and "seconds".
    """
    results: dict[str, dict] = {}
    for row in _lines(path):
        if isinstance(row.get("values"), dict) and isinstance(row.get("protocol"), dict):
            key = [int(row["step"]), row["evaluation"], row["protocol"], row.get("of")]
            results[json.dumps(key, sort_keys=True)] = row
    return sorted(results.values(), key=lambda row: int(row["step"]))


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


def terms_of_weights(info: Mapping[str, Any]) -> str:
    """The license of the weights that a run was converted from, or began with, by its config.json; "" without."""
    return next((str(info[key]["license"]) for key in ("weights", "init") if info.get(key, {}).get("license")), "")
