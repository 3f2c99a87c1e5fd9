"""The table of a comparison: a row per run; what differs of the configs, and numbers, each under its protocol."""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from genjax.report.comparison.runs import Recorded
from genjax.report.results import by_protocol, incomparable, protocol_lines
from genjax.run.training_metrics import BETTER, HIGHER, LOWER
from genjax.text import duration, number


@dataclass
class Cell:
    """The text of a cell, the value that it is sorted by, and a remark."""

    text: str
    value: float | str
    note: str = ""


@dataclass
class Column:
    """A column: its heading, the group that it stands in, and its cells by the number of the run."""

    name: str
    group: str
    note: str = ""
    better: str = ""
    cells: dict[int, Cell] = field(default_factory=dict)

    def best(self) -> list[int]:
        """The runs whose number is the best, if there are several and one direction is better."""
        numbers = {i: cell.value for i, cell in self.cells.items() if isinstance(cell.value, int | float)}
        finite = {i: value for i, value in numbers.items() if abs(value) < float("inf")}
        if self.better not in (LOWER, HIGHER) or len(finite) < 2:
            return []
        best = (min if self.better == LOWER else max)(finite.values())
        return [i for i, value in finite.items() if value == best]


def columns(runs: Sequence[Recorded]) -> list[Column]:
    """All columns besides the names."""
    return [*_progress(runs), *_results(runs), *_training(runs), *_configs(runs)]


def _progress(runs: Sequence[Recorded]) -> list[Column]:
    steps, seconds, updated = (Column(name, "progress") for name in ("steps", "time", "changed"))
    for i, run in enumerate(runs):
        if run.rows or run.evaluations:
            of = f" of {run.planned:,}" if run.planned > run.steps else ""
            steps.cells[i] = Cell(f"{run.steps:,}{of}", run.steps)
        if run.rows and isinstance(spent := run.rows[-1].get("seconds"), int | float):
            seconds.cells[i] = Cell(duration(spent), spent)
        if run.updated:
            updated.cells[i] = Cell(time.strftime("%Y-%m-%d %H:%M", time.localtime(run.updated)), run.updated)
    return [steps, seconds, updated]


def _configs(runs: Sequence[Recorded]) -> list[Column]:
    """The keys that differ: in value, or between runs of one task also in being there."""
    listed = []
    for key in dict.fromkeys(key for run in runs for key in run.config):
        texts = {i: _text(run.config[key]) for i, run in enumerate(runs) if key in run.config}
        tasks = {str(run.config.get("task")) for run in runs if key in run.config}
        lacking = {str(run.config.get("task")) for run in runs if run.config and key not in run.config}
        if len(set(texts.values())) > 1 or tasks & lacking:
            cells = {i: Cell(text, _value(runs[i].config[key])) for i, text in texts.items()}
            listed.append(Column(key, "config", cells=cells))
    return listed


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _value(value: Any) -> float | str:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else _text(value)


def _results(runs: Sequence[Recorded]) -> list[Column]:
    """The newest number of each run by label and protocol."""
    listed: dict[tuple[str, str], Column] = {}
    for i, run in enumerate(runs):
        for (_, key), group in by_protocol(run.evaluations).items():
            for label in dict.fromkeys(label for row in group for label in row["values"]):
                rows = [row for row in group if isinstance(row["values"].get(label), int | float)]
                if rows:
                    better = _part(rows[-1], "better").get(label, "")
                    column = listed.setdefault((label, key), Column(label, "results", f"protocol {key}", better))
                    column.cells[i] = _result(rows, label, better, run.steps)
    return [listed[name] for name in sorted(listed)]


def _result(rows: list[dict], label: str, better: str, last: int) -> Cell:
    newest = rows[-1]
    text = number(newest["values"][label])
    std = _part(newest, "std").get(label)
    text += f" ± {number(std)}" if isinstance(std, int | float) else ""
    text += f" (step {newest['step']:,})" if newest["step"] != last else ""
    note = f"step {newest['step']:,}"
    if better in (LOWER, HIGHER):
        best = (min if better == LOWER else max)(rows, key=lambda row: row["values"][label])
        note += f"; best {number(best['values'][label])}, step {best['step']:,}"
    return Cell(text, newest["values"][label], note)


def _part(row: dict, name: str) -> dict:
    return row[name] if isinstance(row.get(name), dict) else {}


def _training(runs: Sequence[Recorded]) -> list[Column]:
    """The last value of the metrics of training that have a better direction; time is among the progress."""
    listed = []
    for name, better in BETTER.items():
        values = {i: run.rows[-1].get(name) for i, run in enumerate(runs) if run.rows}
        cells = {i: Cell(number(v), v) for i, v in values.items() if isinstance(v, int | float) and name != "seconds"}
        if cells:
            listed.append(Column(name, "training, last row", better=better, cells=cells))
    return listed


def html(runs: Sequence[Recorded], page: Path) -> str:
    """The table, and what sets protocols of one number apart. Links are relative to the page's folder."""
    listed = columns(runs)
    best = {(i, j) for j, column in enumerate(listed) for i in column.best()}
    lines = []
    for i, run in enumerate(runs):
        cells = (_cell(column.cells.get(i), (i, j) in best) for j, column in enumerate(listed))
        box = f'<td><input type="checkbox" aria-label="show {escape(run.name)}"></td>'
        lines.append(f'<tr data-run="{i}">{box}{_name(run, page)}{"".join(cells)}</tr>')
    groups: list[list] = []
    for column in listed:
        if not groups or groups[-1][0] != column.group:
            groups.append([column.group, 0])
        groups[-1][1] += 1
    over = "".join(f'<th colspan="{count}">{escape(group)}</th>' for group, count in groups)
    heads = "".join(_head(column) for column in listed)
    every = '<td><input type="checkbox" id="every" aria-label="show all of these runs"></td>'
    name = '<th data-key="run"><button>run</button></th>'
    head = f'<tr><td></td><th></th>{over}</tr><tr class="keys">{every}{name}{heads}</tr>'
    table = f'<table id="runs"><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table>'
    return f'<div class="wide">{table}</div>{_protocols(runs)}'


def _head(column: Column) -> str:
    arrow = {LOWER: " ↓", HIGHER: " ↑"}.get(column.better, "")
    key = escape(f"{column.name} {column.note}".strip())
    note = f"<small>{escape(column.note)}</small>" if column.note else ""
    return f'<th data-key="{key}"><button>{escape(column.name)}{arrow}</button>{note}</th>'


def _cell(cell: Cell | None, is_best: bool) -> str:
    if cell is None:
        return '<td data-v=""></td>'
    text = f"<b>{escape(cell.text)}</b>" if is_best else escape(cell.text)
    kind = "" if isinstance(cell.value, str) else ' class="n"'
    title = cell.note or (cell.text if len(cell.text) > 24 else "")
    title = f' title="{escape(title)}"' if title else ""
    return f'<td{kind} data-v="{escape(str(cell.value))}"{title}>{text}</td>'


def _name(run: Recorded, page: Path) -> str:
    """The name with a link to the run's own page, and what is wrong with the run."""
    text = escape(run.name)
    report = run.path / "report.html"
    name = f'<a href="{escape(link(report, page))}">{text}</a>' if report.exists() else text
    notes = [*run.notes, *([] if report.exists() else ["no report.html"])]
    small = f"<small>{escape('; '.join(notes))}</small>" if notes else ""
    return f'<th scope="row" data-v="{text}">{name}{small}</th>'


def link(path: Path, page: Path) -> str:
    """A file's address relative to the folder of the page."""
    relative = os.path.relpath(os.path.realpath(path), os.path.realpath(page.parent))
    return quote(os.fsencode(relative.replace(os.sep, "/")))


def _protocols(runs: Iterable[Recorded]) -> str:
    """The protocols in words, and the differences between those of one metric, whose numbers do not compare."""
    groups = by_protocol(row for run in runs for row in run.evaluations)
    of_metric: dict[str, list[str]] = {}
    for metric, key in groups:
        of_metric.setdefault(metric, []).append(key)
    apart = []
    for metric, keys in of_metric.items():
        first = groups[metric, keys[0]][0]["protocol"]
        for key in keys[1:]:
            lines = "; ".join(incomparable(first, groups[metric, key][0]["protocol"]))
            apart.append(f"<li>{escape(metric)}: {keys[0]} and {key} do not compare ({escape(lines)})</li>")
    parts = [f'<ul class="apart">{"".join(apart)}</ul>'] if apart else []
    if groups:
        texts = []
        for (metric, key), rows in groups.items():
            lines = "\n".join(protocol_lines([(metric, rows[0]["protocol"])]))
            texts.append(f"<h3>{key}, {escape(metric)}</h3><pre>{escape(lines)}</pre>")
        parts.append(f"<details><summary>Protocols</summary>{''.join(texts)}</details>")
    return "".join(parts)
