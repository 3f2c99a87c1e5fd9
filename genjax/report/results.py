"""Results of evaluations: which of them compare, and those of several runs side by side."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from genjax.config import differences
from genjax.errors import InputError
from genjax.run.records import read_evaluations
from genjax.text import table

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
    """The newest results of runs (or .jsonl files) side by side; apart, with what differs, where they do not compare.

    Raises: InputError if a path has no results.
    """
    found = {str(path): _results(path) for path in paths}
    newest = {path: {key: group[-1] for key, group in by_protocol(rows).items()} for path, rows in found.items()}
    protocols = {key: row["protocol"] for column in newest.values() for key, row in column.items()}
    keys_of: dict[str, list] = {}  # of each number, the protocols that it was had by
    for column in newest.values():
        for key, row in column.items():
            for name in (name for name in row["values"] if not name.endswith(DEVIATION)):
                keys_of.setdefault(name, []).extend([] if key in keys_of.get(name, ()) else [key])
    lines, notes = [], {}
    for name, keys in keys_of.items():
        for letter, key in zip(ascii_uppercase, keys, strict=False):
            rows = [column.get(key, {"values": {}}) for column in newest.values()]
            values = [row["values"].get(name) for row in rows]
            cells = [None if value is None else float(value) for value in values]
            lines.append((name, letter if len(keys) > 1 else "", *cells))
            if key != keys[0]:
                differences = "\n".join(f"    {line}" for line in incomparable(protocols[keys[0]], protocols[key]))
                notes.setdefault(f"  A and {letter} do not compare:\n{differences}", []).append(name)
    heads = [f"{path}, step {rows[-1]['step']:,}" for path, rows in found.items()]
    text = table(lines, ("metric", "protocol", *heads))
    return "\n\n".join([text, *(f"{', '.join(names)}\n{note}" for note, names in notes.items())])


def _results(path):
    file = Path(path) / "metrics.jsonl" if Path(path).is_dir() else Path(path)
    rows = read_evaluations(file)
    if not rows:
        raise InputError(f"{path} has no results: `python -m genjax.evaluate` makes them")
    return rows
