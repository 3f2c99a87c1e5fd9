"""A run's page: one self-contained HTML file made from the run's folder alone."""

import base64
import json
import os
import re
from html import escape
from pathlib import Path

from genjax.errors import InputError
from genjax.files import read_evaluations, read_metrics, write_bytes
from genjax.report import curves, figures
from genjax.report.console import duration, number
from genjax.report.results import DEVIATION, by_protocol

# Evaluation results by a word in their name, and which way is better; a GAN's losses have no better way.
SCORES = ("FID", "Frechet distance", "Accuracy")  # results that are shown first
BETTER = {
    "lower": ("fid", "kid", "frechet", "wasserstein", "swd", "val", "lpips", "perplexity"),
    "higher": ("accuracy", "precision", "recall", "density", "coverage", "psnr", "ssim", "inception", "modes"),
}


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
        figures.save_gif(gif, [path for _, path in samples])
    evaluations = read_evaluations(workdir / "metrics.jsonl")
    if rows:
        curves.draw([*rows, *_repeated(evaluations)], workdir / "curves.png")
    steps = rows[-1]["step"] if rows else samples[-1][0] if samples else None
    body = [
        f"<header><h1>{escape(workdir.name)}</h1><p>{_sentence(about, steps)}</p></header>",
        _warnings(rows),
        _merit(about, rows, steps, evaluations),
        _pictures(samples, gif),
        _pictures(reconstructions, None),
        _evaluations(evaluations, workdir / "neighbours.png"),
        _curves(workdir / "curves.png") if rows else "",
        _metrics(rows),
        _reproduce(about),
    ]
    page = PAGE.format(title=escape(workdir.name), style=STYLE, body="\n".join(filter(None, body)))
    write_bytes(workdir / "report.html", page.encode())
    return workdir / "report.html"


def _steps(folder: Path) -> list[tuple[int, Path]]:
    """The pictures of a run's steps, first to last."""
    found = ((re.fullmatch(r"step_(\d+)\.png", path.name), path) for path in folder.glob("step_*.png"))
    return sorted((int(name[1]), path) for name, path in found if name)


def _about(workdir: Path) -> dict:
    """config.json as a dict of dicts, whatever is missing or broken in it."""
    try:
        about = json.loads((workdir / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _part(about: dict, name: str) -> dict:
    value = about.get(name)
    return value if isinstance(value, dict) else {}


def _sentence(about: dict, steps: int | None) -> str:
    config, data, device = (_part(about, name) for name in ("config", "data", "device"))
    task = config.get("task")
    task = (task.get("name") or task.get("kind")) if isinstance(task, dict) else task
    text = f"<b>{escape(str(task or config.get('name') or 'Training'))}</b>"
    # A net's section of the configuration says which one it is: "dcgan generator".
    if nets := [f"{_part(config, net).get('net', '')} {net}".strip() for net in _part(about, "parameters")]:
        text += f" ({escape(' and '.join(nets) if len(nets) < 3 else ', '.join(nets))})"
    if data.get("name"):
        shape = data.get("shape")
        facts = [
            data.get("split"),
            f"{data['size']:,} examples" if isinstance(data.get("size"), int) else None,
            " × ".join(map(str, shape)) if isinstance(shape, list) else None,
        ]
        text += f" on <b>{escape(str(data['name']))}</b>"
        text += f" ({escape(', '.join(str(fact) for fact in facts if fact))})" if any(facts) else ""
    if steps is not None:
        planned = config.get("steps")
        of = f" of {planned:,}" if isinstance(planned, int) and planned > steps else ""
        text += f", {steps:,}{of} steps"
    if device:
        kind, count = str(device.get("kind") or device.get("platform") or "device"), device.get("count", 1)
        text += f" on {f'{count} × ' if count != 1 else ''}{escape(kind.upper() if kind == 'cpu' else kind)}"
    return text + "."


def _warnings(rows: list[dict]) -> str:
    """What the run was warned of, and what of it came to an end."""
    found = [row["warnings"] for row in rows if isinstance(row.get("warnings"), list)]
    lines = (escape(str(line).removeprefix("warning: ")) for lines in found for line in lines)
    items = "".join(f"<li>{line[:1].upper()}{line[1:]}</li>" for line in lines)
    return f'<section class="warnings"><h2>Warnings</h2><ul>{items}</ul></section>' if items else ""


def _merit(about: dict, rows: list[dict], steps: int | None, evaluations: list[dict]) -> str:
    """A row of the numbers one asks for first."""
    cards = [] if steps is None else [("steps", f"{steps:,}", "")]
    seconds, rates = _values(rows, "seconds"), sorted(value for _, value in _values(rows, "images_per_second"))
    if seconds:
        cards.append(("training time", duration(seconds[-1][1]), ""))
    if rates:
        cards.append(("images/s", number(rates[len(rates) // 2]), "median"))
    cards += [(f"{net} parameters", _short(n), "") for net, n in _part(about, "parameters").items()]
    for name in _names(rows):
        way = _better(name)
        if way and (values := _values(rows, name)):
            step, best = (min if way == "lower" else max)(values, key=lambda pair: pair[1])
            cards.append((name, number(best), f"{'lowest' if way == 'lower' else 'highest'}, step {step:,}"))
    scores = {name: row for row in evaluations for name in row["values"] if name.startswith(SCORES)}
    cards += [(name, number(row["values"][name]), f"step {row['step']:,}") for name, row in scores.items()]
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd><small>{escape(note)}</small></div>"
        for name, value, note in cards
    )
    return f'<dl class="merit">{cells}</dl>' if cells else ""


def _pictures(pictures: list, gif: Path | None) -> str:
    """The last and the first picture, and how one came from the other."""
    if not pictures:
        return ""
    from PIL import Image

    (first, first_path), (last, last_path) = pictures[0], pictures[-1]
    title = figures.title_of(last_path)  # of samples there is none: they need no explanation
    figure = [_figure(last_path, f"{title}, step {last:,}, the last".removeprefix(", ").capitalize())]
    if len(pictures) > 1:
        figure.append(_figure(first_path, f"Step {first:,}, the first"))
        if gif and gif.exists():
            figure.append(_figure(gif, f"Evolution over {len(pictures):,} pictures"))
    with Image.open(last_path) as image:
        beside = image.width <= 1.5 * image.height  # wide pictures need the page's whole width
    kind = f"samples n{len(figure)}" if beside else "samples"
    head = "Reconstructions" if title else "Samples"
    return f'<section><h2>{head}</h2><div class="{kind}">{"".join(figure)}</div></section>'


def _evaluations(rows: list[dict], neighbours: Path) -> str:
    """Every result at its newest step, those of other protocols apart, and the protocols."""
    if not rows:
        return ""
    lines, protocols, results = [], [], set()
    for (metric, key), group in by_protocol(rows).items():
        for name in dict.fromkeys(name for row in group for name in row["values"] if not name.endswith(DEVIATION)):
            had = [row for row in group if name in row["values"]]
            newest, way = had[-1], _better(name) if len(had) > 1 else None
            best = (min if way == "lower" else max)(had, key=lambda row: row["values"][name])
            spread = newest["values"].get(name + DEVIATION)
            value = number(newest["values"][name]) + (f" ± {number(spread)}" if spread is not None else "")
            at_best = f"{number(best['values'][name])}, step {best['step']:,}" if way else ""
            cells = (value, f"{newest['step']:,}", at_best, key)
            lines.append(f"<tr><th>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
            results.add(name)
        protocols.append(f"<h3>{key}, {escape(metric)}</h3>{_table(dict(_flat(group[-1]['protocol'])))}")
    head = "<tr><th>metric</th><td>newest</td><td>step</td><td>best</td><td>protocol</td></tr>"
    table = f'<div class="wide"><table class="numbers results"><thead>{head}</thead>{"".join(lines)}</table></div>'
    note = "<p><small>Numbers of different protocols do not compare.</small></p>" if len(lines) > len(results) else ""
    picture = _figure(neighbours, "Samples and the training pictures nearest to them") if neighbours.exists() else ""
    told = f"<details><summary>Protocols</summary>{''.join(protocols)}</details>"
    return f"<section><h2>Evaluation</h2>{table}{note}{picture}{told}</section>"


def _repeated(rows: list[dict]) -> list[dict]:
    """Results that were had at several steps under one protocol, as rows of metrics for the curves."""
    groups = {key: group for key, group in by_protocol(rows).items() if len({row["step"] for row in group}) > 1}
    metrics = [metric for metric, _ in groups]
    out = []
    for (metric, key), group in groups.items():
        which = "" if metrics.count(metric) == 1 else f", protocol {key}"
        for row in group:
            out.append({"step": row["step"]} | {name + which: value for name, value in row["values"].items()})
    return out


def _curves(path: Path) -> str:
    return f'<section class="curves"><h2>Curves</h2><div>{_image(path, "metrics over steps")}</div></section>'


def _metrics(rows: list[dict]) -> str:
    """Every metric: its last value, its mean over the last tenth of its rows, its range."""
    lines = []
    for name in _names(rows):
        if not (values := [value for _, value in _values(rows, name)]):
            continue
        last = next(row[name] for row in reversed(rows) if isinstance(row.get(name), int | float))  # or not finite
        tail = values[-max(1, len(values) // 10) :]
        cells = (last, sum(tail) / len(tail), min(values), max(values))
        lines.append(f"<tr><th>{escape(name)}</th>{''.join(f'<td>{number(value)}</td>' for value in cells)}</tr>")
    head = "<tr><th>metric</th><td>last</td><td>mean of last tenth</td><td>lowest</td><td>highest</td></tr>"
    table = f'<div class="wide"><table class="numbers"><thead>{head}</thead>{"".join(lines)}</table></div>'
    return f"<section><h2>Metrics</h2>{table}</section>" if lines else ""


def _reproduce(about: dict) -> str:
    git, data = _part(about, "git"), _part(about, "data")
    facts = {}
    if git.get("commit"):
        facts["commit"] = f"{git['commit']}{' with uncommitted changes' if git.get('dirty') else ''}"
    if data.get("name"):
        facts["data"] = " ".join(str(data[key]) for key in ("name", "split") if data.get(key))
    if data.get("fingerprint"):
        facts["data fingerprint"] = data["fingerprint"]
    facts |= {f"device {key}": value for key, value in _part(about, "device").items()}
    command = f"<pre>{escape(str(about['command']))}</pre>" if about.get("command") else ""
    parts = [f"<section><h2>How to reproduce</h2>{command}{_table(facts)}</section>" if command or facts else ""]
    for title, content in (("Configuration", dict(_flat(_part(about, "config")))), ("Versions", about.get("versions"))):
        if isinstance(content, dict) and content:
            parts.append(f"<details><summary>{title}</summary>{_table(content)}</details>")
    return "\n".join(parts)


def _flat(config: dict, prefix: str = ""):
    """Dotted names, as the command line takes them: config.optimizer.rate -> "optimizer.rate"."""
    for key, value in config.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value if isinstance(value, str) else json.dumps(value)


def _table(facts: dict) -> str:
    lines = (f"<tr><th>{escape(str(key))}</th><td>{escape(str(value))}</td></tr>" for key, value in facts.items())
    return f'<table class="facts">{"".join(lines)}</table>' if facts else ""


def _names(rows: list[dict]) -> list[str]:
    return [name for name in dict.fromkeys(key for row in rows for key in row) if name not in curves.NOT_METRICS]


def _values(rows: list[dict], name: str) -> list[tuple[int, float]]:
    """(step, value) where the value is a finite number."""
    pairs = ((row["step"], row.get(name)) for row in rows)
    return [
        (step, value)
        for step, value in pairs
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    ]


def _better(name: str) -> str | None:
    words = set(re.split(r"[^a-z]+", name.lower()))
    return next((way for way, good in BETTER.items() if words & set(good)), None)


def _short(n) -> str:
    if not isinstance(n, int) or n < 1e4:
        return f"{n:,}" if isinstance(n, int) else str(n)
    return f"{n / 1e6:.2f} M" if n >= 999_500 else f"{n / 1e3:.0f} k"


def _figure(path: Path, caption: str) -> str:
    return f"<figure>{_image(path, caption)}<figcaption>{escape(caption)}</figcaption></figure>"


def _image(path: Path, text: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(text)}" src="data:image/{path.suffix[1:]};base64,{data}">'


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
  .n2, .n3 { grid-template-columns: 2.15fr 1fr; } /* of square pictures, one is as high as two with captions */
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
