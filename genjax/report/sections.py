"""The sections of a run's page: each is HTML made from the run's files, empty if they lack its content."""

import base64
import json
from html import escape
from pathlib import Path

from genjax.report.curves import NOT_METRICS
from genjax.report.figures import title_of
from genjax.report.folder import part
from genjax.report.results import by_protocol
from genjax.run.training_metrics import BETTER, LOWER
from genjax.text import duration, number

SCORES = ("FID", "Fréchet distance", "Accuracy")
"""Beginnings of the labels of those results that are shown at the top of the page."""


def sentence(info: dict, steps: int | None) -> str:
    """One sentence: the task, the data, the number of steps and the device."""
    config, data, device = (part(info, name) for name in ("config", "data", "device"))
    task = config.get("task")
    task = (task.get("name") or task.get("kind")) if isinstance(task, dict) else task
    text = f"<b>{escape(str(task or config.get('name') or 'Training'))}</b>"
    # A net's section of the configuration says which one it is: "dcgan generator".
    if nets := [f"{part(config, net).get('net', '')} {net}".strip() for net in part(info, "parameters")]:
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
        kind = str(device.get("kind") or device.get("platform") or "device")
        count = device.get("count", 1)
        text += f" on {f'{count} × ' if count != 1 else ''}{escape(kind.upper() if kind == 'cpu' else kind)}"
    return text + "."


def warnings(rows: list[dict]) -> str:
    """The warnings of the run, and when their reasons were gone."""
    of_rows = [row["warnings"] for row in rows if isinstance(row.get("warnings"), list)]
    lines = (escape(str(line).removeprefix("warning: ")) for lines in of_rows for line in lines)
    items = "".join(f"<li>{line[:1].upper()}{line[1:]}</li>" for line in lines)
    return f'<section class="warnings"><h2>Warnings</h2><ul>{items}</ul></section>' if items else ""


def merit(info: dict, rows: list[dict], steps: int | None, evaluations: list[dict]) -> str:
    """A row of the most important numbers."""
    cards = [] if steps is None else [("steps", f"{steps:,}", "")]
    seconds = _values(rows, "seconds")
    rates = sorted(value for _, value in _values(rows, "images_per_second"))
    if seconds:
        cards.append(("training time", duration(seconds[-1][1]), ""))
    if rates:
        cards.append(("images/s", number(rates[len(rates) // 2]), "median"))
    cards += [(f"{net} parameters", _short(n), "") for net, n in part(info, "parameters").items()]
    for name in _names(rows):
        better = BETTER.get(name)
        if better and (values := _values(rows, name)):
            step, best = (min if better == LOWER else max)(values, key=lambda pair: pair[1])
            cards.append((name, number(best), f"{'lowest' if better == LOWER else 'highest'}, step {step:,}"))
    scores = {name: row for row in evaluations for name in row["values"] if name.startswith(SCORES)}
    cards += [(name, number(row["values"][name]), f"step {row['step']:,}") for name, row in scores.items()]
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd><small>{escape(note)}</small></div>"
        for name, value, note in cards
    )
    return f'<dl class="merit">{cells}</dl>' if cells else ""


def images(images: list, gif: Path | None) -> str:
    """The last image, the first one, and the evolution between them."""
    if not images:
        return ""
    from PIL import Image

    (first, first_path), (last, last_path) = images[0], images[-1]
    title = title_of(last_path)  # samples have none: they need no explanation
    figure = [_figure(last_path, f"{title}, step {last:,}, the last".removeprefix(", ").capitalize())]
    if len(images) > 1:
        figure.append(_figure(first_path, f"Step {first:,}, the first"))
        if gif and gif.exists():
            figure.append(_figure(gif, f"Evolution over {len(images):,} images"))
    with Image.open(last_path) as image:
        fits_beside = image.width <= 1.5 * image.height  # wide images need the page's whole width
    kind = f"samples n{len(figure)}" if fits_beside else "samples"
    head = "Reconstructions" if title else "Samples"
    return f'<section><h2>{head}</h2><div class="{kind}">{"".join(figure)}</div></section>'


def evaluations(rows: list[dict], neighbors: Path) -> str:
    """Every result at its newest step and at its best one, one line per protocol, and the protocols."""
    if not rows:
        return ""
    lines = []
    protocols = []
    labels = set()
    for (metric, key), group in by_protocol(rows).items():
        for label in dict.fromkeys(label for row in group for label in row["values"]):
            cells = (*_newest_and_best([row for row in group if label in row["values"]], label), key)
            lines.append(f"<tr><th>{escape(label)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
            labels.add(label)
        protocols.append(f"<h3>{key}, {escape(metric)}</h3>{_table(dict(_flat(group[-1]['protocol'])))}")
    head = "<tr><th>metric</th><td>newest</td><td>step</td><td>best</td><td>protocol</td></tr>"
    table = f'<div class="wide"><table class="numbers results"><thead>{head}</thead>{"".join(lines)}</table></div>'
    note = "<p><small>Numbers of different protocols do not compare.</small></p>" if len(lines) > len(labels) else ""
    image = _figure(neighbors, "Samples and the training images nearest to them") if neighbors.exists() else ""
    details = f"<details><summary>Protocols</summary>{''.join(protocols)}</details>"
    return f"<section><h2>Evaluation</h2>{table}{note}{image}{details}</section>"


def _newest_and_best(rows, label):
    """The cells of a result: the newest value, its step, and the best value if there is more than one."""
    newest = rows[-1]
    better = newest.get("better", {}).get(label)
    std = newest.get("std", {}).get(label)
    value = number(newest["values"][label])
    if std is not None:
        value += f" ± {number(std)}"
    best = ""
    if better and len(rows) > 1:
        row = (min if better == LOWER else max)(rows, key=lambda row: row["values"][label])
        best = f"{number(row['values'][label])}, step {row['step']:,}"
    return value, f"{newest['step']:,}", best


def curves(path: Path) -> str:
    """The image of all metrics over steps."""
    return f'<section class="curves"><h2>Curves</h2><div>{_image(path, "metrics over steps")}</div></section>'


def metrics(rows: list[dict]) -> str:
    """Every metric of training: last value, mean over the last tenth of the rows, range."""
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


def reproduce(info: dict) -> str:
    """The command, commit, data and device; the whole configuration and the versions, folded."""
    git = part(info, "git")
    data = part(info, "data")
    facts = {}
    if git.get("commit"):
        facts["commit"] = f"{git['commit']}{' with uncommitted changes' if git.get('dirty') else ''}"
    if data.get("name"):
        facts["data"] = " ".join(str(data[key]) for key in ("name", "split") if data.get(key))
    if data.get("fingerprint"):
        facts["data fingerprint"] = data["fingerprint"]
    facts |= {f"device {key}": value for key, value in part(info, "device").items()}
    command = f"<pre>{escape(str(info['command']))}</pre>" if info.get("command") else ""
    parts = [f"<section><h2>How to reproduce</h2>{command}{_table(facts)}</section>" if command or facts else ""]
    for title, content in (("Configuration", dict(_flat(part(info, "config")))), ("Versions", info.get("versions"))):
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
    return [name for name in dict.fromkeys(key for row in rows for key in row) if name not in NOT_METRICS]


def _values(rows: list[dict], name: str) -> list[tuple[int, float]]:
    """(step, value) where the value is a finite number."""
    pairs = ((row["step"], row.get(name)) for row in rows)
    return [
        (step, value)
        for step, value in pairs
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    ]


def _short(n) -> str:
    if not isinstance(n, int) or n < 1e4:
        return f"{n:,}" if isinstance(n, int) else str(n)
    return f"{n / 1e6:.2f} M" if n >= 999_500 else f"{n / 1e3:.0f} k"


def _figure(path: Path, caption: str) -> str:
    return f"<figure>{_image(path, caption)}<figcaption>{escape(caption)}</figcaption></figure>"


def _image(path: Path, text: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(text)}" src="data:image/{path.suffix[1:]};base64,{data}">'
