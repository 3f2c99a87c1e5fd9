"""The page of a comparison: one HTML file that works offline, from the records of runs."""

import base64
import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from genjax.report.comparison import table
from genjax.report.comparison.runs import Recorded
from genjax.report.curves import series_of
from genjax.report.figures import evenly
from genjax.report.page import asset, framed
from genjax.report.results import by_protocol

POINTS = 400_000
"""Points of all curves together; with more, each curve is thinned evenly."""

SHOWN = 24
"""Runs that are shown at first."""


def make(runs: Sequence[Recorded], page: Path, embed: float = 16.0, reload: int = 0) -> bytes:
    """The page that is to be written to `page`.

    It holds sample grids of up to `embed` MiB, last ones first; the others are read from the runs' folders.
    With `reload` the browser reads it again every n seconds.
    """
    several = _several(runs)
    curves = [_curves(run, several) for run in runs]
    most = max(20, min(1000, POINTS // max(1, sum(map(len, curves)))))
    grids = _embedded(runs, embed * 2**20)
    data = {
        "reload": reload,
        "shown": SHOWN,
        "runs": [
            {
                "name": run.name,
                "curves": {name: _thin(*points, most) for name, points in lines.items()},
                "folder": table.link(run.path / "samples", page) + "/",
                "images": [[step, path.name] for step, path in run.images],
                "embedded": grid,
            }
            for run, lines, grid in zip(runs, curves, grids, strict=True)
        ],
    }
    title = f"{len(runs):,} run{'' if len(runs) == 1 else 's'}"
    linked = sum(len(run.images) for run in runs) - sum(map(len, grids))
    body = Template(asset("comparison/page.html")).substitute(
        title=escape(title),
        table=table.html(runs, page),
        linked=f"{linked:,} sample grids are read from the runs' folders; --embed holds more." if linked else "",
        data=_json(data),
        script=asset("comparison/page.js"),
    )
    return framed(title, body, asset("comparison/page.css"))


def _json(data: Any) -> str:
    """JSON for a script element, which no text in it can end."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _several(runs: Sequence[Recorded]) -> set[str]:
    """The metrics of evaluations that have several protocols."""
    keys = list(by_protocol(row for run in runs for row in run.evaluations))
    metrics = [metric for metric, _ in keys]
    return {metric for metric in metrics if metrics.count(metric) > 1}


def _curves(run: Recorded, several: set[str]) -> dict[str, tuple]:
    """Steps and values by metric; results of unlike protocols are curves of their own."""
    rows = list(run.rows)
    for (metric, key), group in by_protocol(run.evaluations).items():
        suffix = f", protocol {key}" if metric in several else ""
        for row in group:
            rows.append({"step": row["step"]} | {name + suffix: value for name, value in row["values"].items()})
    return series_of(rows)


def _thin(steps, values, most: int) -> list[list]:
    """At most `most` points, four digits each; a value that is not finite is null."""
    keep = evenly(len(steps), most)
    digits = (float(f"{value:.4g}") if math.isfinite(value) else None for value in values[keep].tolist())
    return [steps[keep].astype(int).tolist(), list(digits)]


def _embedded(runs: Sequence[Recorded], limit: float) -> list[dict[str, str]]:
    """The sample grids that the page holds, by step: of each run the last, then the first, then those between."""
    chosen: list[dict[str, str]] = [{} for _ in runs]
    spent = 0.0
    longest = max((len(run.images) for run in runs), default=0)
    for count in [1, *(2**i + 1 for i in range(longest.bit_length() + 1))]:
        for run, grids in zip(runs, chosen, strict=True):
            numbers = evenly(len(run.images), count) if count > 1 else [-1][: len(run.images)]
            for step, path in (run.images[number] for number in numbers):
                try:
                    size = path.stat().st_size * 4 / 3
                    if str(step) not in grids and spent + size <= limit:
                        grids[str(step)] = base64.b64encode(path.read_bytes()).decode()
                        spent += size
                except OSError:  # it went while the run began again
                    continue
    return chosen
