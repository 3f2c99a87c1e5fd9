"""A sweep's results as an image: a curve over X if the experiment has one, else one row of dots per variant."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.sweeps.experiment import Axis, Experiment
from genjax.report.figures import COLORS, rendered, tidy

INK, FAINT = "#333333", "#b4b9c0"
COLUMNS = {True: {4: 2}, False: {4: 4}}  # panels side by side, of curves and of dots, where it is not three
CHARACTER = 0.029  # a panel's width in characters of its labels, inverted

MEAN = {"color": COLORS[0], "marker": "o", "ls": "none", "ms": 6.5, "mew": 0, "zorder": 4}
INTERVAL = {"color": COLORS[0], "lw": 2.6, "solid_capstyle": "butt", "zorder": 3, "alpha": 0.6}
SEED = {"color": FAINT, "marker": "o", "ls": "none", "ms": 4, "mew": 0, "zorder": 2}


def draw(
    experiment: Experiment,
    xs: Mapping[str, float | None],
    summaries: Mapping[tuple[str, str], Any],
    better: Mapping[str, str | None],
    level: float = 0.95,
):
    """One panel per number: each seed faint, their mean with its interval. Returns: an image.

    `xs` are the positions of variants (None without an axis), `summaries` the results by variant and title, `better`
    the directions by title, `level` that of the intervals.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    count = len(experiment.report)
    columns = COLUMNS[experiment.axis is not None].get(count, min(3, count))
    rows = -(-len(experiment.report) // columns)
    titles = [textwrap.fill(title, 34) for title in experiment.variants]
    lines = sum(title.count("\n") + 1.7 for title in titles)
    height = 3.3 if experiment.axis else 1.0 + 0.21 * lines
    width = 3.4 * columns + (0.4 if experiment.axis else 0.075 * max(map(len, "\n".join(titles).split("\n"))))
    figure = Figure(figsize=(max(width, 5.5), height * rows), dpi=160, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08, wspace=0.02)
    panels = figure.subplots(rows, columns, squeeze=False, sharey="none" if experiment.axis else "row")
    for i, axes in enumerate(panels.flat):
        if i >= len(experiment.report):
            axes.set_axis_off()
            continue
        reported = experiment.report[i]
        by_variant = {title: summaries.get((title, reported.title)) for title in experiment.variants}
        if experiment.axis:
            _curve(axes, experiment.axis, {xs[title]: one for title, one in by_variant.items()})
        else:
            _dots(axes, titles, list(by_variant.values()))
        axes.set_title(
            _title(reported.title, better[reported.title]), loc="left", fontsize=11, fontweight="bold", color=INK
        )
        tidy(axes)
        axes.tick_params(axis="y", length=3 if experiment.axis else 0)
        if not experiment.axis:
            axes.grid(axis="y", visible=False)
    marks = {"one seed": SEED, "mean over seeds": MEAN}
    if any(one.interval for one in summaries.values()):
        marks |= {f"its {level:.0%} bootstrap interval": INTERVAL}
    handles = [Line2D([], [], label=label, **style) for label, style in marks.items()]
    figure.legend(handles=handles, loc="outside lower right", ncols=3, fontsize=9, frameon=False)
    return rendered(figure)


def _beside(axes, right: float, up: float):
    """Data coordinates, shifted by a number of points."""
    from matplotlib.transforms import ScaledTranslation

    return axes.transData + ScaledTranslation(right / 72, up / 72, axes.figure.dpi_scale_trans)


def _title(title: str, better: str | None) -> str:
    return textwrap.fill(f"{title}, {better} is better" if better else title, 34)


def _dots(axes, titles: Sequence[str], summaries: Sequence) -> None:
    """One row per variant, the first on top."""
    from matplotlib.ticker import MaxNLocator

    for row, one in enumerate(summaries):
        axes.axhline(row, color="#efefef", lw=0.8, zorder=0)
        if one is None:
            continue
        axes.plot(one.values, [row] * len(one.values), **SEED, transform=_beside(axes, 0, -6))
        if one.interval:
            axes.plot(one.interval, [row, row], **INTERVAL)
        axes.plot([one.mean], [row], **MEAN)
    axes.set_yticks(range(len(titles)), titles)
    axes.set_ylim(len(titles) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    _numbers(axes.xaxis)


def _curve(axes, axis: Axis, summaries: Mapping[float, object]) -> None:
    """The mean over x, in order; a logarithmic axis has room for 0 at its left end."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    places = sorted(summaries)
    done = [x for x in places if summaries[x] is not None]
    for x in done:
        axes.plot([x] * len(summaries[x].values), summaries[x].values, **SEED, transform=_beside(axes, 6, 0))
    axes.plot(done, [summaries[x].mean for x in done], **MEAN | {"ls": "-", "lw": 1.5})
    for x in (x for x in done if summaries[x].interval):
        axes.plot([x, x], summaries[x].interval, **INTERVAL)
    positive = [x for x in places if x > 0]
    if axis.log and positive:
        axes.set_xscale("symlog", linthresh=positive[0], linscale=0.5) if places[0] == 0 else axes.set_xscale("log")
        _margins(axes, places)
        axes.set_xticks(_apart(axes, places))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        _margins(axes, places)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
    axes.yaxis.set_major_locator(MaxNLocator(5) if done else NullLocator())
    _numbers(axes.yaxis)
    axes.set_xlabel(axis.label, fontsize=9.5, color=INK)


def _apart(axes, places: Sequence[float]) -> list[float]:
    """Places whose labels do not touch, from the left."""
    low, high = axes.get_xlim()
    start, stop = axes.transScale.transform([[low, 1], [high, 1]])[:, 0]
    kept_places = []
    end = -1.0
    for x in places:
        middle = (axes.transScale.transform([x, 1])[0] - start) / (stop - start)
        half = 0.5 * CHARACTER * len(_thousands(x))
        if middle - half > end:
            kept_places.append(x)
            end = middle + half + CHARACTER
    return kept_places


def _thousands(x: float, _=None) -> str:
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:g}"


def _margins(axes, places: Sequence[float]) -> None:
    """Room at both ends, so that no mark lies on the frame, whatever the scale."""
    transform = axes.xaxis.get_transform()
    low, high = transform.transform(np.array([places[0], places[-1]], float))
    room = 0.06 * (high - low) or 0.5
    axes.set_xlim(*transform.inverted().transform(np.array([low - room, high + room])))


def _numbers(axis) -> None:
    """Thousands separated, with as many decimals as tell the ticks apart; the axis' own digits where they are small."""
    from matplotlib.ticker import FuncFormatter

    low, high = sorted(axis.get_view_interval())
    if max(abs(low), abs(high)) < 1000:
        axis.get_major_formatter().set_useOffset(False)
        return
    step = np.diff(axis.get_major_locator()())[0]
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.{places}f}"))
