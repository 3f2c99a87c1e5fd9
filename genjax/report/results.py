"""Results of evaluations: which of them compare, and those of several runs side by side."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genjax.config import differences
from genjax.errors import InputError
from genjax.files import read_evaluations
from genjax.report.console import table

DEVIATION = ", deviation"
"""Ends the name of a number that is the standard deviation of the one so called without."""

NOT_COMPARED = ("versions",)
"""Parts of a protocol that are told, but whose difference does not forbid a comparison: results agree to rounding."""


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


def compare(paths: Sequence[str]) -> str:
    """A table of the newest results of runs (or .jsonl files), and what forbids to compare those of one metric.

    Raises: InputError if a path has no results.
    """
    found = {str(path): _results(path) for path in paths}
    columns = {path: {key: rows[-1] for key, rows in by_protocol(rows).items()} for path, rows in found.items()}
    keys = list(dict.fromkeys(key for column in columns.values() for key in column))
    keys.sort(key=lambda key: [metric for metric, _ in keys].index(key[0]))  # a metric's protocols one after the other
    lines, notes = [], []
    letters = _letters(keys)
    for key in keys:
        have = {path: column[key] for path, column in columns.items() if key in column}
        for label in dict.fromkeys(label for row in have.values() for label in row["values"]):
            values = [_value(have, path, label) for path in columns]
            lines.append((label, letters[key], *values))
        notes += _note(key, keys, columns, letters)
    heads = [f"{path}, step {max(row['step'] for row in found[path]):,}" for path in columns]
    text = table(lines, ("metric", "protocol", *heads))
    return f"{text}\n\n" + "\n".join(notes) if notes else text


def _results(path):
    file = Path(path) / "metrics.jsonl" if Path(path).is_dir() else Path(path)
    rows = read_evaluations(file)
    if not rows:
        raise InputError(f"{path} has no results: `python -m genjax.evaluate` makes them")
    return rows


def _letters(keys):
    """ "" where a metric has one protocol, else A, B, ..."""
    of = {metric: [key for key in keys if key[0] == metric] for metric, _ in keys}
    return {key: "" if len(of[key[0]]) == 1 else chr(65 + of[key[0]].index(key)) for key in keys}


def _value(have, path, label):
    value = have[path]["values"].get(label) if path in have else None
    return None if value is None else float(value)


def _note(key, keys, columns, letters):
    first = next(other for other in keys if other[0] == key[0])
    if key == first:
        return []
    one, other = (next(column[k] for column in columns.values() if k in column)["protocol"] for k in (first, key))
    differences = "\n".join(f"    {line}" for line in incomparable(one, other))
    return [f"  {key[0]}: {letters[first]} and {letters[key]} do not compare:\n{differences}"]
