"""Examples over their reconstructions."""

import math

import numpy as np

from genjax.errors import InputError
from genjax.report import points, series
from genjax.report.display import shown
from genjax.report.figures import COLORS, grid, rendered

NAMES = {2: ("originals", "reconstructions"), 3: ("originals", "corrupted", "restored")}


def draw(*rows, columns: int | None = None):
    """Originals over reconstructions; or originals over corrupted over restored ones.

    Points in the plane make a scatter plot, in space two views, and of higher dimension one scatter plot per pair of
    the first coordinates; series make lines.
    Shapes: two or three of uint8 [N, H, W, C], of float [N, D], or of float [N, T, F], where NaN is padding.
    Raises: InputError for other shapes, or shapes that differ.
    """
    rows = [np.asarray(row) for row in rows]
    if len(rows) not in NAMES or len({row.shape for row in rows}) > 1:
        raise InputError(f"two or three sets of one shape are compared; got {[list(row.shape) for row in rows]}")
    if rows[0].ndim == 4:
        return bands(rows, columns)
    if rows[0].ndim == 3:
        return series.draw(rows[0], rows[-1])
    if rows[0].ndim == 2 and rows[0].shape[1] == 3:
        return _in_space(rows[0], rows[-1])
    return points.draw(rows[-1], rows[0], name="reconstructed")


def caption(rows: int) -> str:
    """The names of the rows: "originals over reconstructions"."""
    return " over ".join(NAMES[rows])


def bands(rows, columns: int | None = None):
    """Sets of images over each other, in bands with a gap between them; nearly square overall.

    Shapes: rows, each uint8 [N, H, W, C]; the i-th images of all rows stand in one column.
    """
    rows = [shown(row) for row in rows]
    count, height, width, channels = rows[0].shape
    columns = min(count, columns or _columns(count, len(rows) * height / width))
    gap = max(2, height // 6)
    blank = np.full((-count % columns, height, width, channels), 255, np.uint8)
    padded = np.stack([np.concatenate([row, blank]) for row in rows])  # [rows, N, H, W, C]
    padded = padded.reshape(len(rows), -1, columns, height, width, channels).swapaxes(0, 1)
    strips = []
    for band in padded:
        strip = np.asarray(grid(band.reshape(-1, height, width, channels), columns, scale=1))
        strips += [strip.reshape(*strip.shape[:2], channels), np.full((gap, strip.shape[1], channels), 255, np.uint8)]
    return _enlarged(np.concatenate(strips[:-1]))


def in_colors(x, colors: int):
    """Inputs of a translation as images like its targets: gray in all colors, without a mask.

    Shapes: uint8 [N, H, W, C] -> [N, H, W, colors].
    """
    return np.repeat(x[..., :1], colors, -1) if x.shape[-1] < colors else x[..., :colors]


def _columns(count, aspect):
    """The number of columns that makes the sheet nearly square and leaves the fewest places empty."""
    ideal = math.sqrt(count * aspect)
    near = range(max(1, round(0.8 * ideal)), max(1, round(1.25 * ideal)) + 1)
    return min(near, key=lambda columns: (-count % columns, abs(columns - ideal)))


def _enlarged(sheet):
    return grid(sheet[None], pad=0)


def _in_space(x, y):
    """Points in space and their reconstructions, in two views."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(11, 4.6), dpi=100)
    figure.subplots_adjust(0.01, 0.03, 0.97, 0.99, wspace=0.04)
    size = float(np.clip(4000 / len(x), 3, 16))
    finite = x[np.isfinite(x).all(1)] if np.isfinite(x).all(1).any() else np.zeros((1, 3))
    low = finite.min(0)
    high = finite.max(0)
    for place, (up, around) in enumerate(((24, -62), (4, -20)), 1):
        axes = figure.add_subplot(1, 2, place, projection="3d")
        axes.scatter(*x.T, s=size, c="#9aa0a8", lw=0, label="data", depthshade=False)
        axes.scatter(*y.T, s=size, c=COLORS[1], alpha=0.8, lw=0, label="reconstructed", depthshade=False)
        axes.plot(*_pairs(x, y), color=COLORS[1], lw=0.5, alpha=0.35)
        margin = 0.05 * (high - low) + 1e-6
        for name, *edges in zip("xyz", low - margin, high + margin, strict=True):
            axes.set(**{f"{name}lim": edges})
        axes.set_box_aspect(high - low + 2 * margin, zoom=1.12)
        axes.view_init(up, around)
        axes.tick_params(labelsize=8, colors="#666666")
        for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
            axis.pane.set_facecolor("#fafafa")
            axis.pane.set_edgecolor("#dddddd")
            axis.set_major_locator(MaxNLocator(5))
            axis._axinfo["grid"].update(color="#e6e6e6", linewidth=0.7)  # there is no public way
        if place == 1:
            axes.legend(loc="upper left", markerscale=2, frameon=False)
    return rendered(figure)


def _pairs(x, y):
    """Segments from each point to its reconstruction, as one line with breaks."""
    breaks = np.full_like(x, np.nan)
    return np.stack([x, y, breaks], 1).reshape(-1, x.shape[1]).T
