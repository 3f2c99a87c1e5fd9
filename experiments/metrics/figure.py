"""Metrics under damage as one image: one row of panels per metric, one column per kind of damage."""

import math

from genjax.report.figures import COLORS, rendered, tidy

COLUMNS = {
    "noise": "noise, gray levels",
    "blur": "blur, pixels",
    "classes": "classes left",
    "count": "N reals, N others",
}
ROWS = {
    "Fréchet": ("frechet",),
    "kernel": ("kernel",),
    "sliced Wasserstein": ("sliced_wasserstein",),
    "precision, recall": ("precision", "recall"),
    "density, coverage": ("density", "coverage"),
}
LINES = ({"ls": "-", "marker": "o"}, {"ls": "--", "marker": "s"})  # the first and the second metric of a panel
INK = "#333333"


def draw(rows: list[dict]):
    """The figure of all rows; panels of one row share their axis. Returns: an image."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(10, 9.6), dpi=150, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.04, h_pad=0.04, wspace=0.03, hspace=0.03)
    panels = figure.subplots(len(ROWS), len(COLUMNS), sharex="col", sharey="row")
    colors = dict(zip(dict.fromkeys(row["data"] for row in rows), COLORS, strict=False))
    for line, (title, keys) in zip(panels, ROWS.items(), strict=True):
        for axes, damage in zip(line, COLUMNS, strict=True):
            for name, color in colors.items():
                mine = [row for row in rows if (row["data"], row["damage"]) == (name, damage)]
                for key, style in zip(keys, LINES, strict=False):
                    axes.plot([row[key] for row in mine], color=color, lw=1.7, ms=3.5, **style)
                if mine:
                    axes.set_xticks(range(len(mine)), [f"{row['amount']:g}" for row in mine])
            tidy(axes)
        _scale(line[0], [row[key] for row in rows for key in keys])
        line[0].set_ylabel(title, fontsize=11, fontweight="bold", color=INK)
        if len(keys) > 1:
            pairs = zip(keys, LINES, strict=True)
            handles = [Line2D([], [], color="#777777", label=key, ms=3.5, **style) for key, style in pairs]
            line[-1].legend(handles=handles, fontsize=9.5, frameon=False, loc="lower right")
    for axes, title in zip(panels[0], COLUMNS.values(), strict=True):
        axes.set_title(title, fontsize=11, fontweight="bold", color=INK, loc="left")
    handles = [Line2D([], [], color=color, lw=2, label=name) for name, color in colors.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), fontsize=10, frameon=False)
    figure.align_ylabels(panels[:, 0])
    return rendered(figure)


def _scale(axes, values) -> None:
    """Shares start at 0; distances get a logarithmic axis, linear around zero if some are negative (noise)."""
    if max(values) < 3:
        axes.set_ylim(bottom=0)
    elif min(values) > 0:
        axes.set_yscale("log")
    else:
        first, last = (round(math.log10(max(abs(end), 1))) for end in (min(values), max(values)))
        axes.set_yscale("symlog", linthresh=10.0**first, linscale=0.7)
        axes.set_yticks([-(10.0**first), 0, *(10.0**power for power in range(first, last + 1))])
        axes.set_yticks([], minor=True)
        axes.set_ylim(2 * min(values), 2 * max(values))
