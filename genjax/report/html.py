"""A run's page: one self-contained HTML file made from the run's folder alone."""

import json
import os
import re
from html import escape
from pathlib import Path

from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.report import curves, sections
from genjax.report.gif import save_gif
from genjax.report.results import by_protocol
from genjax.run.records import read_evaluations, read_metrics


def write(workdir: str | os.PathLike) -> Path:
    """Write report.html (and curves.png, samples.gif where the run has what they need) into a run's folder.

    Reads config.json, metrics.jsonl, samples/step_*.png and reconstructions/step_*.png; what is missing is left out.
    Raises: InputError if there is nothing of a run in the folder.
    """
    workdir = Path(workdir).resolve()
    about, rows = _about(workdir), read_metrics(workdir / "metrics.jsonl")
    samples, reconstructions = (_steps(workdir / folder) for folder in ("samples", "reconstructions"))
    if not (about or rows or samples):
        raise InputError(f"{workdir} holds no run: no config.json, metrics.jsonl or samples/step_*.png")
    gif = workdir / "samples.gif"
    if len(samples) > 1 and not (gif.exists() and gif.stat().st_mtime >= samples[-1][1].stat().st_mtime):
        save_gif(gif, [path for _, path in samples])
    evaluations = read_evaluations(workdir / "metrics.jsonl")
    if rows:
        curves.draw([*rows, *_repeated(evaluations)], workdir / "curves.png")
    steps = rows[-1]["step"] if rows else samples[-1][0] if samples else None
    body = [
        f"<header><h1>{escape(workdir.name)}</h1><p>{sections.sentence(about, steps)}</p></header>",
        sections.warnings(rows),
        sections.merit(about, rows, steps, evaluations),
        sections.images(samples, gif),
        sections.images(reconstructions, None),
        sections.evaluations(evaluations, workdir / "neighbors.png"),
        sections.curves(workdir / "curves.png") if rows else "",
        sections.metrics(rows),
        sections.reproduce(about),
    ]
    page = PAGE.format(title=escape(workdir.name), style=STYLE, body="\n".join(filter(None, body)))
    write_bytes(workdir / "report.html", page.encode())
    return workdir / "report.html"


def _steps(folder: Path) -> list[tuple[int, Path]]:
    """The images of a run's steps, first to last."""
    found = ((re.fullmatch(r"step_(\d+)\.png", path.name), path) for path in folder.glob("step_*.png"))
    return sorted((int(name[1]), path) for name, path in found if name)


def _about(workdir: Path) -> dict:
    """config.json as a dict of dicts, whatever is missing or broken in it."""
    try:
        about = json.loads((workdir / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _repeated(rows: list[dict]) -> list[dict]:
    """Results of one protocol at several steps, as rows of metrics for the curves."""
    groups = {key: group for key, group in by_protocol(rows).items() if len({row["step"] for row in group}) > 1}
    metrics = [metric for metric, _ in groups]
    out = []
    for (metric, key), group in groups.items():
        which = "" if metrics.count(metric) == 1 else f", protocol {key}"
        for row in group:
            out.append({"step": row["step"]} | {name + which: value for name, value in row["values"].items()})
    return out


STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --soft: #68707a; --line: #e3e6ea; --back: #fbfbfa; --card: #fff;
  --warn: #b45309; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6e9; --soft: #959da8; --line: #30353c; --back: #15171a; --card: #1c1f23; --warn: #e8a33d; }
  .curves img { filter: invert(.89) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 1.25rem 4rem; max-width: 1000px; color: var(--ink); background: var(--back);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; letter-spacing: -.02em; overflow-wrap: anywhere; }
header p { margin: .5rem 0 0; color: var(--soft); max-width: 46rem; }
header b { color: var(--ink); font-weight: 600; }
h2 { margin: 2.75rem 0 .9rem; font-size: 1.1rem; }
small, figcaption { color: var(--soft); font-size: .82rem; }
img { display: block; width: 100%; height: auto; border-radius: 6px; }
.merit { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1px; margin: 1.75rem 0 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.merit div { padding: .8rem 1rem; box-shadow: 0 0 0 1px var(--line); }
.merit dt { color: var(--soft); font-size: .82rem; overflow-wrap: anywhere; }
.merit dd { margin: 0; font-size: 1.45rem; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; }
.warnings { margin: 1.75rem 0 0; padding: .8rem 1rem; background: var(--card); border: 1px solid var(--warn);
  border-left-width: 5px; border-radius: 10px; max-height: 16rem; overflow-y: auto; }
.warnings h2 { margin: 0 0 .3rem; color: var(--warn); }
.warnings ul { margin: 0; padding: 0; list-style: none; font-size: .9rem; overflow-wrap: anywhere; }
.warnings li + li { margin-top: .35rem; }
.samples { display: grid; gap: 1rem; align-items: start; }
figure { margin: 0; }
figcaption { margin-top: .4rem; }
.curves div, .wide { overflow-x: auto; }
.curves img { min-width: 640px; }
table { border-collapse: collapse; font-size: .9rem; }
th { text-align: left; font-weight: 400; }
td, th { padding: .38rem 1.5rem .38rem 0; border-top: 1px solid var(--line); vertical-align: top; }
.numbers { width: 100%; }
.numbers td { width: 18%; padding-right: 0; padding-left: 1rem; text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
thead th, thead td { color: var(--soft); font-size: .82rem; border-top: 0; }
.results td { width: auto; }
.facts { width: 100%; }
.facts th { color: var(--soft); width: 1%; white-space: nowrap; }
.facts td, pre, details th { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .82rem; }
.facts td { overflow-wrap: anywhere; padding-right: 0; }
pre { margin: 0 0 1rem; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; }
details { margin-top: 1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
section + details { margin-top: 2rem; }
summary { padding: .65rem 1rem; cursor: pointer; font-weight: 600; }
details h3 { margin: .4rem 1rem; font-size: .9rem; }
details table.facts { margin: 0 1rem 1rem; width: calc(100% - 2rem); }
@media (min-width: 700px) {
  .n2, .n3 { grid-template-columns: 2.15fr 1fr; } /* of square images, one is as high as two with captions */
  .n3 figure:first-child { grid-row: span 2; }
}
""".strip()

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
{body}
</body>
</html>
"""
