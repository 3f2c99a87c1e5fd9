"""Results of the finished runs of a sweep, as tidy rows, a table and a figure."""

import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from experiments.sweeps import figure, outcome
from experiments.sweeps.experiment import Experiment
from experiments.sweeps.plan import Run
from genjax.errors import InputError
from genjax.evaluation.metric import ARROWS, LOWER
from genjax.files import write_bytes
from genjax.report.figures import save_png
from genjax.report.results import incomparable
from genjax.text import number

LEVEL = 0.95  # of the intervals
RESAMPLES = 9999
FEWEST = 3  # seeds that have an interval


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
    """One number of one variant over its seeds; None where there are too few seeds."""

    values: tuple[float, ...]
    mean: float
    deviation: float | None
    interval: tuple[float, float] | None


def write(folder: Path, experiment: Experiment, runs: Sequence[Run], failures: Mapping[str, str]) -> str:
    """Write results.csv, results.md and results.png of the finished runs. Returns: the table as text."""
    done = [run for run in runs if outcome.state(run) == outcome.DONE]
    numbers = {run.title: outcome.numbers(run) for run in done}
    rows = list(rows_of(experiment, done, numbers))
    summaries = summarize(rows)
    better = directions(experiment, numbers)
    unranked = _incomparable(experiment, numbers)
    notes = [*unranked.values(), *_unfinished(runs, done, failures)]
    text = as_markdown(experiment, summaries, better, unranked, notes)
    write_bytes(folder / "results.csv", as_csv(rows).encode())
    write_bytes(folder / "results.md", text.encode())
    xs = {run.variant: run.x for run in runs}
    save_png(folder / "results.png", figure.draw(experiment, xs, summaries, better, LEVEL))
    return text


def directions(experiment: Experiment, numbers: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """The better direction of each reported number by title: its own, or else the one that the experiment gives.

    Raises: InputError if the experiment contradicts the number.
    """
    better = {}
    for reported in experiment.report:
        own = next((run[reported.name].better for run in numbers.values() if reported.name in run), None)
        if own and reported.better and own != reported.better:
            raise InputError(f"REPORT: {reported.name!r}: {own} is better, not {reported.better}: give the title alone")
        better[reported.title] = own or reported.better
    return better


def rows_of(experiment: Experiment, done: Sequence[Run], numbers: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """One row per run and number; numbers that a run lacks are left out."""
    for run in done:
        for reported in experiment.report:
            if reported.name in numbers[run.title]:
                value = numbers[run.title][reported.name].value
                time = outcome.seconds(run)
                yield Row(run.variant, run.seed, reported.title, value, run.x, time, run.path.name)


def summarize(rows: Sequence[Row]) -> dict[tuple[str, str], Summary]:
    """Summaries by variant and metric."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        values.setdefault((row.variant, row.metric), []).append(row.value)
    return {key: summary(of_seeds) for key, of_seeds in values.items()}


def summary(values: Sequence[float]) -> Summary:
    """Mean, standard deviation (n - 1), and percentile interval of the mean by bootstrap."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    interval = None
    if len(values) >= FEWEST and np.isfinite(values).all():
        options = {"n_resamples": RESAMPLES, "confidence_level": LEVEL, "method": "percentile"}
        bootstrap = stats.bootstrap((values,), np.mean, **options, rng=np.random.default_rng(0))
        interval = float(bootstrap.confidence_interval.low), float(bootstrap.confidence_interval.high)
    return Summary(tuple(values), float(np.mean(values)), deviation, interval)


def as_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV, one number per row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(
    experiment: Experiment,
    summaries: Mapping[tuple[str, str], Summary],
    better: Mapping[str, str | None],
    unranked: Collection[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """One row per variant, one column per number, the best mean in bold.

    `better` has the direction of each number by title; numbers without one, and those in `unranked`, have no best.
    """
    heads = ["Variant", "Seeds", *(f"{title} {ARROWS[better[title]]}".strip() for title in better)]
    lines = [heads, ["---"] * len(heads)]
    best = {title: _best(title, better[title], summaries) for title in better if title not in unranked}
    for variant in experiment.variants:
        of_variant = {title: summaries.get((variant, title)) for title in better}
        cells = [
            f"**{_cell(one)}**" if one and one.mean == best.get(title) else _cell(one)
            for title, one in of_variant.items()
        ]
        lines.append([variant, str(max((len(one.values) for one in of_variant.values() if one), default=0)), *cells])
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    fewer = any(one.interval is None for one in summaries.values())
    caption = (
        f"Mean ± standard deviation over seeds [{LEVEL:.0%} bootstrap interval of the mean]; the best mean in bold."
    )
    if fewer:
        caption += f" Fewer than {FEWEST} seeds have no interval."
    return "\n\n".join([f"# {experiment.title}", table, caption, *notes]) + "\n"


def _cell(one: Summary | None) -> str:
    """Mean ± deviation [interval], all with the decimals of two significant digits of the deviation."""
    if one is None:
        return ""
    if not one.deviation or not np.isfinite(one.deviation):
        digits = number
    else:
        places = max(0, 1 - math.floor(math.log10(one.deviation)))

        def digits(value):
            return f"{value:,.{places}f}"

    text = digits(one.mean)
    text += "" if one.deviation is None else f" ± {digits(one.deviation)}"
    return text + ("" if one.interval is None else f" [{', '.join(map(digits, one.interval))}]")


def _best(title: str, better: str | None, summaries: Mapping[tuple[str, str], Summary]) -> float | None:
    """The best mean; None for numbers without a direction, and if there are fewer than two finite means."""
    means = [one.mean for (_, metric), one in summaries.items() if metric == title and np.isfinite(one.mean)]
    if better is None or len(means) < 2:
        return None
    return min(means) if better == LOWER else max(means)


def _incomparable(experiment: Experiment, numbers: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Notes on numbers whose protocol is not the same in all runs, by title."""
    notes = {}
    for reported in experiment.report:
        protocols = {title: run[reported.name].protocol for title, run in numbers.items() if reported.name in run}
        for title, protocol in protocols.items():
            first_title, first = next(iter(protocols.items()))
            if first and protocol and (differences := incomparable(first, protocol)):
                claim = f"{reported.title} of {first_title!r} and of {title!r} do not compare"
                notes.setdefault(reported.title, f"**{claim}**: {'; '.join(differences)}.")
    return notes


def _unfinished(runs: Sequence[Run], done: Sequence[Run], failures: Mapping[str, str]) -> Iterator[str]:
    if len(done) < len(runs):
        yield f"{len(done)} of {len(runs)} runs are done."
    if failures:
        yield "\n".join(["Failed:", "", *(f"- {title}: {reason}" for title, reason in failures.items())])
