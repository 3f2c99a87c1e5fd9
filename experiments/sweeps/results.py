"""What the finished runs of a sweep come to, as tidy rows, a table and a figure."""

import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from experiments.sweeps import figure, outcome
from experiments.sweeps.experiment import Experiment, Reported
from experiments.sweeps.plan import Run
from genjax.files import write_bytes
from genjax.report.results import incomparable
from genjax.text import number

LEVEL, RESAMPLES, FEWEST = 0.95, 9999, 3
"""Of the intervals: their level, how they are had, and the fewest seeds that have one."""


class Row(NamedTuple):
    """One number of one run."""

    variant: str
    seed: int
    metric: str
    value: float
    x: float | None
    seconds: float  # of training
    run: str  # its folder


class Summary(NamedTuple):
    """One number of one variant over its seeds; what there are too few seeds for is None."""

    values: tuple[float, ...]
    mean: float
    deviation: float | None
    interval: tuple[float, float] | None


def write(folder: Path, experiment: Experiment, runs: Sequence[Run], failures: Mapping[str, str]) -> str:
    """results.csv, results.md and results.png of what is done; the table as text."""
    done = [run for run in runs if outcome.state(run) == outcome.DONE]
    found = {run.title: outcome.numbers(run) for run in done}
    rows = list(rows_of(experiment, done, found))
    summaries = summarize(rows)
    apart = _incomparable(experiment, found)
    text = as_markdown(experiment, summaries, apart, [*apart.values(), *_unfinished(runs, done, failures)])
    write_bytes(folder / "results.csv", as_csv(rows).encode())
    write_bytes(folder / "results.md", text.encode())
    xs = {run.variant: run.x for run in runs}
    write_bytes(folder / "results.png", figure.draw(experiment, xs, summaries, LEVEL))
    return text


def rows_of(experiment: Experiment, done: Sequence[Run], found: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """A row a run and number; a number that a run lacks has none."""
    for run in done:
        for reported in experiment.report:
            if reported.name in found[run.title]:
                value = found[run.title][reported.name].value
                time = outcome.seconds(run)
                yield Row(run.variant, run.seed, reported.title, value, run.x, time, run.path.name)


def summarize(rows: Sequence[Row]) -> dict[tuple[str, str], Summary]:
    """By variant and metric."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        values.setdefault((row.variant, row.metric), []).append(row.value)
    return {key: summary(found) for key, found in values.items()}


def summary(values: Sequence[float]) -> Summary:
    """Mean, standard deviation (n - 1), and the bootstrap's percentile interval of the mean."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    interval = None
    if len(values) >= FEWEST and np.isfinite(values).all():
        how = {"n_resamples": RESAMPLES, "confidence_level": LEVEL, "method": "percentile"}
        found = stats.bootstrap((values,), np.mean, **how, rng=np.random.default_rng(0)).confidence_interval
        interval = float(found.low), float(found.high)
    return Summary(tuple(values), float(np.mean(values)), deviation, interval)


def as_csv(rows: Sequence[Row]) -> str:
    """Tidy: one number a row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(
    experiment: Experiment,
    summaries: Mapping[tuple[str, str], Summary],
    apart: Collection[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """A row a variant, a column a number, the best mean in bold; of the numbers `apart`, none is best."""
    arrows = {"lower": "↓", "higher": "↑"}
    heads = ["Variant", "Seeds", *(f"{reported.title} {arrows[reported.better]}" for reported in experiment.report)]
    lines = [heads, ["---"] * len(heads)]
    best = {reported.title: _best(reported, summaries) for reported in experiment.report if reported.title not in apart}
    for variant in experiment.variants:
        found = [summaries.get((variant, reported.title)) for reported in experiment.report]
        cells = [
            f"**{_cell(one)}**" if one and one.mean == best.get(reported.title) else _cell(one)
            for reported, one in zip(experiment.report, found, strict=True)
        ]
        lines.append([variant, str(max((len(one.values) for one in found if one), default=0)), *cells])
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    fewer = any(one.interval is None for one in summaries.values())
    how = (
        f"Mean ± standard deviation over seeds [{LEVEL:.0%} bootstrap interval of the mean]; the best mean in bold."
        + f" There is no interval of fewer than {FEWEST} seeds." * fewer
    )
    return "\n\n".join([f"# {experiment.title}", table, how, *notes]) + "\n"


def _cell(one: Summary | None) -> str:
    """Two digits of the deviation say how many all have."""
    if one is None:
        return ""
    if not one.deviation or not np.isfinite(one.deviation):
        digits = number
    else:
        places = max(0, 1 - math.floor(math.log10(one.deviation)))
        digits = lambda value: f"{value:,.{places}f}"  # noqa: E731
    text = digits(one.mean)
    text += "" if one.deviation is None else f" ± {digits(one.deviation)}"
    return text + ("" if one.interval is None else f" [{', '.join(map(digits, one.interval))}]")


def _best(reported: Reported, summaries: Mapping[tuple[str, str], Summary]) -> float | None:
    """Nothing is best among fewer than two, and nothing compares with NaN."""
    means = [one.mean for (_, metric), one in summaries.items() if metric == reported.title and np.isfinite(one.mean)]
    return None if len(means) < 2 else min(means) if reported.better == "lower" else max(means)


def _incomparable(experiment: Experiment, found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Notes on numbers that were not had by one protocol in all runs, by their title."""
    notes = {}
    for reported in experiment.report:
        of = {title: numbers[reported.name].protocol for title, numbers in found.items() if reported.name in numbers}
        for title, other in of.items():
            first, one = next(iter(of.items()))
            if one and other and (changes := incomparable(one, other)):
                what = f"{reported.title} of {first!r} and of {title!r} do not compare"
                notes.setdefault(reported.title, f"**{what}**: {'; '.join(changes)}.")
    return notes


def _unfinished(runs: Sequence[Run], done: Sequence[Run], failures: Mapping[str, str]) -> Iterator[str]:
    if len(done) < len(runs):
        yield f"{len(done)} of {len(runs)} runs are done."
    if failures:
        yield "\n".join(["Failed:", "", *(f"- {title}: {reason}" for title, reason in failures.items())])
