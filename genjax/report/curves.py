"""Training curves: the metrics of a run over its steps."""

import os

import numpy as np

from genjax.report.figures import COLORS, evenly, rendered, save_png, tidy

NOT_METRICS = ("step", "seconds", "images_per_second")


def draw(rows: list[dict], path: str | os.PathLike) -> None:
    """Draw the metrics of a run over its steps: losses first, then the others by prefix and scale.

    A bold smoothed line is drawn over the faint raw one; axes are logarithmic if values span decades; a cross at the
    bottom marks values that are not finite. `rows` are those of metrics.jsonl; only numbers are drawn.
    """
    from matplotlib.figure import Figure

    series = series_of(rows)
    panels = _panels(series)
    count = max(1, len(panels))
    columns = 1 if count == 1 else 2
    wide = count % 2  # of an odd number of panels the losses get the whole first row
    height = -(-(count + wide) // columns) if columns == 2 else 1
    figure = Figure(figsize=(10, 3.0 * height + 0.2), dpi=160, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.1)
    spec = figure.add_gridspec(height, columns)
    steps = np.concatenate([[], *(steps for steps, _ in series.values())])
    for i, (title, names) in enumerate(panels):
        cell = spec[0, :] if wide and i == 0 else spec[divmod(i + wide, columns)]
        axes = figure.add_subplot(cell)
        _draw(axes, title, {name: series[name] for name in names})
        if steps.min() < steps.max():  # the same steps everywhere, so that panels can be compared
            axes.set_xlim(steps.min() - 0.01 * np.ptp(steps), steps.max() + 0.01 * np.ptp(steps))
    if not panels:
        figure.text(0.5, 0.5, "no metrics logged yet", ha="center", va="center", color="#666666", size=13)
    save_png(path, rendered(figure))


def series_of(rows: list[dict]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Steps and values by metric, at most 4,000; metrics that were never finite are left out."""
    pairs_of: dict[str, list] = {}
    for row in rows:
        for name, value in row.items():
            if name not in NOT_METRICS and isinstance(value, int | float) and not isinstance(value, bool):
                pairs_of.setdefault(name, []).append((row.get("step", len(pairs_of)), value))
    series = {}
    for name, pairs in pairs_of.items():
        steps, values = np.array(sorted(pairs, key=lambda pair: pair[0]), float).T
        if np.isfinite(values).any():
            keep = evenly(len(steps), 4000)
            series[name] = steps[keep], values[keep]
    return series


def _panels(series: dict) -> list[tuple[str, list[str]]]:
    """Titles and names: the losses, then one group per prefix, split where neighbors differ by a factor of 30."""
    groups: dict[str, list[str]] = {"losses": [name for name in series if "loss" in name.lower()]}
    for name in series:
        if name not in groups["losses"]:
            groups.setdefault(name.rpartition("/")[0] or "metrics", []).append(name)

    def typical(name):
        values = np.abs(series[name][1])
        return float(np.median(values[np.isfinite(values)]))

    panels = []
    for title, names in groups.items():
        parts: list[list[str]] = []
        for name in sorted(names, key=typical, reverse=True):
            if parts and typical(parts[-1][-1]) <= 30 * typical(name) and len(parts[-1]) < len(COLORS):
                parts[-1].append(name)
            else:
                parts.append([name])
        panels += [(title if len(part) > 1 else part[0], sorted(part)) for part in parts]
    return panels


def _draw(axes, title: str, series: dict) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    values = np.concatenate([values for _, values in series.values()])
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, [1, 99])
    log = bool(values.min() > 0 and high > 100 * low)
    span = high - low
    limits = (-np.inf, np.inf)
    if not log and values.max() - values.min() > 5 * span > 0:  # a few peaks must not flatten everything else
        limits = max(values.min(), low - 0.6 * span), min(values.max(), high + 0.6 * span)
        axes.set_ylim(limits[0] - 0.05 * span, limits[1] + 0.05 * span)
        beyond = []
        if values.max() > limits[1]:
            beyond.append(f"up to {values.max():.3g}")
        if values.min() < limits[0]:
            beyond.append(f"down to {values.min():.3g}")
        note = f"   (peaks {' and '.join(beyond)} are clipped)"
    else:
        note = ""
    for color, (name, (steps, raw)) in zip(COLORS, series.items(), strict=False):
        finite = np.isfinite(raw)
        raw = np.where(finite, raw, np.nan)  # a gap in the line
        label = name.removeprefix(title + "/")
        if len(raw) <= 30:
            axes.plot(steps, raw, color=color, lw=1.6, marker="o", ms=3.5, label=label)
        else:
            axes.plot(steps, raw, color=color, lw=0.8, alpha=0.28)
            axes.plot(steps, _smooth(np.clip(raw, *limits), log), color=color, lw=1.9, label=label)
        if not finite.all():
            lost = steps[~finite]
            foot = axes.get_xaxis_transform()
            axes.plot(lost, np.full(len(lost), 0.03), "x", color=color, ms=6, transform=foot, clip_on=False)
    if log:
        axes.set_yscale("log")
    else:
        axes.ticklabel_format(axis="y", scilimits=(-3, 5), useOffset=False)
    axes.set_title(title + note, loc="left", fontsize=11, fontweight="bold", color="#333333")
    if len(series) > 1:
        axes.legend(loc="best", fontsize=9.5, frameon=True, framealpha=0.8, edgecolor="none")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    tidy(axes)


def _smooth(values: np.ndarray, log: bool) -> np.ndarray:
    """Values smoothed by a Gaussian window of about a fortieth of the run, over finite values, unbiased at the ends."""
    radius = max(2, len(values) // 25)
    window = np.exp(-0.5 * (np.arange(-radius, radius + 1) / (radius / 2.5)) ** 2)
    finite = np.isfinite(values)
    filled = np.where(finite, np.log(values) if log else values, 0.0)
    mean = np.convolve(filled, window, "same") / np.maximum(np.convolve(finite, window, "same"), 1e-12)
    return np.where(finite, np.exp(mean) if log else mean, np.nan)
