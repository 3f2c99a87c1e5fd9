"""A run's page: one self-contained HTML file, made from the files in the run's folder."""

import os
from html import escape
from pathlib import Path

from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.report import curves, sections
from genjax.report.folder import images, read_info
from genjax.report.gif import save_gif
from genjax.report.page import framed
from genjax.report.results import by_protocol
from genjax.run.records import read_evaluations, read_metrics


def write(workdir: str | os.PathLike) -> Path:
    """Write report.html (and curves.png, samples.gif where the run has what they need) into a run's folder.

    Reads config.json, metrics.jsonl, samples/step_*.png and reconstructions/step_*.png; what is missing is left out.
    Raises: InputError if the folder holds no run.
    """
    workdir = Path(workdir).resolve()
    info = read_info(workdir)
    rows = read_metrics(workdir / "metrics.jsonl")
    samples, reconstructions = (images(workdir / folder) for folder in ("samples", "reconstructions"))
    if not (info or rows or samples):
        raise InputError(f"{workdir} holds no run: no config.json, metrics.jsonl or samples/step_*.png")
    gif = workdir / "samples.gif"
    if len(samples) > 1 and not (gif.exists() and gif.stat().st_mtime >= samples[-1][1].stat().st_mtime):
        save_gif(gif, [path for _, path in samples])
    evaluations = read_evaluations(workdir / "metrics.jsonl")
    if rows:
        curves.draw([*rows, *_repeated(evaluations)], workdir / "curves.png")
    steps = rows[-1]["step"] if rows else samples[-1][0] if samples else None
    body = [
        f"<header><h1>{escape(workdir.name)}</h1><p>{sections.sentence(info, steps)}</p></header>",
        sections.warnings(rows),
        sections.merit(info, rows, steps, evaluations),
        sections.images(samples, gif),
        sections.images(reconstructions, None),
        sections.evaluations(evaluations, workdir / "neighbors.png"),
        sections.curves(workdir / "curves.png") if rows else "",
        sections.metrics(rows),
        sections.reproduce(info),
    ]
    write_bytes(workdir / "report.html", framed(workdir.name, "\n".join(filter(None, body))))
    return workdir / "report.html"


def _repeated(rows: list[dict]) -> list[dict]:
    """Results of one protocol at several steps, as rows of metrics for the curves."""
    groups = {key: group for key, group in by_protocol(rows).items() if len({row["step"] for row in group}) > 1}
    metrics = [metric for metric, _ in groups]
    repeated = []
    for (metric, key), group in groups.items():
        suffix = "" if metrics.count(metric) == 1 else f", protocol {key}"
        for row in group:
            repeated.append({"step": row["step"]} | {name + suffix: value for name, value in row["values"].items()})
    return repeated
