"""Results of evaluations: which of them compare, and tables of several runs side by side."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, product
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from genjax.config import differences
from genjax.errors import InputError
from genjax.run.records import read_evaluations
from genjax.text import table

NOT_COMPARED = ("versions",)
"""Parts of a protocol in which comparable results may differ: across versions, results agree to rounding."""


def key(protocol: Mapping[str, Any]) -> str:
    """Eight hex digits that are the same for two protocols if their numbers compare."""
    text = json.dumps(_compared(protocol), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def incomparable(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The differences that make two numbers incomparable, such as "samples.count: 2000 -> 10000"."""
    return list(differences(_compared(one), _compared(other)))


def by_protocol(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Groups of rows whose numbers compare, by metric and key of the protocol."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["evaluation"], key(row["protocol"])), []).append(row)
    return groups


def _compared(protocol):
    """The parts that comparable results share. Data with a fingerprint are the same wherever they are."""
    parts = {name: part for name, part in protocol.items() if name not in NOT_COMPARED}
    return {name: part | {"name": ""} if "fingerprint" in part else part for name, part in parts.items()}


def protocol_lines(protocols: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """The protocols of results, each given with its metric, in lines without repetitions; digests are shortened."""
    pairs = list(protocols)
    lines = []
    for part in ("samples", "reference", "features", "code", "versions"):
        lines += [f"{part}: {_words(protocol[part])}" for _, protocol in pairs if part in protocol]
    lines += [f"{metric}: {_words(protocol['settings'])}" for metric, protocol in pairs if protocol.get("settings")]
    return list(dict.fromkeys(lines))


def _words(part: Mapping[str, Any]) -> str:
    """A part of a protocol in one line."""
    short = {key: value[:16] if key in ("fingerprint", "sha256") else value for key, value in part.items()}
    return ", ".join(f"{key} {value}" for key, value in short.items() if value is not None)


def compare(paths: Sequence[str]) -> str:
    """The newest results of runs (or .jsonl files) side by side; incomparable ones in lines of their own, with reasons.

    Raises: InputError if a path has no results.
    """
    results = {str(path): _results(path) for path in paths}
    newest = {path: {key: group[-1] for key, group in by_protocol(rows).items()} for path, rows in results.items()}
    protocols = {key: row["protocol"] for column in newest.values() for key, row in column.items()}
    keys_of: dict[str, dict] = {}  # label -> keys of its protocols, in order
    for column in newest.values():
        for key, row in column.items():
            for label in row["values"]:
                keys_of.setdefault(label, {})[key] = None
    lines = []
    notes = {}
    for label, keys in keys_of.items():
        first = next(iter(keys))
        for letter, key in zip(_letters(), keys, strict=False):
            rows = [column.get(key, {"values": {}}) for column in newest.values()]
            values = [row["values"].get(label) for row in rows]
            cells = [None if value is None else float(value) for value in values]
            lines.append((label, letter if len(keys) > 1 else "", *cells))
            if key != first:
                differences = "\n".join(f"    {line}" for line in incomparable(protocols[first], protocols[key]))
                notes.setdefault(f"  A and {letter} do not compare:\n{differences}", []).append(label)
    heads = [f"{path}, step {rows[-1]['step']:,}" for path, rows in results.items()]
    text = table(lines, ("metric", "protocol", *heads))
    return "\n\n".join([text, *(f"{', '.join(labels)}\n{note}" for note, labels in notes.items())])


def _letters() -> Iterator[str]:
    """A, B, ..., Z, AA, AB, ..."""
    return ("".join(letters) for length in count(1) for letters in product(ascii_uppercase, repeat=length))


def _results(path):
    file = Path(path) / "metrics.jsonl" if Path(path).is_dir() else Path(path)
    rows = read_evaluations(file)
    if not rows:
        raise InputError(f"{path} has no results: `python -m genjax.evaluate` writes them")
    return rows
