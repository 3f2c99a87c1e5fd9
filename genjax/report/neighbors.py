"""Samples beside the training images nearest to them, which shows whether a model has memorized its data."""

import numpy as np

from genjax.report.display import shown
from genjax.report.figures import rendered

ROWS = 10
GAP = 0.5  # between a sample and its neighbors, as a share of an image's width


def draw(samples, train, indices, distances):
    """Two blocks of rows: the samples nearest to a training image, and the first samples; nearest neighbors first.

    Shapes: samples uint8 [N, H, W, C], train [M, H, W, C], indices and distances [N, k] -> an image.
    """
    from matplotlib.figure import Figure

    closest = np.argsort(distances[:, 0], kind="stable")[:ROWS]
    blocks = {
        f"The {len(closest)} of {len(samples):,} samples nearest to a training image": closest,
        f"The first {min(ROWS, len(samples))} samples": np.arange(min(ROWS, len(samples))),
    }
    figure = Figure(figsize=(12, 7.4), dpi=100, layout="constrained")
    for axes, (title, rows) in zip(figure.subplots(1, 2), blocks.items(), strict=True):
        sheet, left = _sheet(shown(samples[rows]), shown(train[indices[rows]]))
        axes.imshow(sheet.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color="#333333")
        axes.axis("off")
        height = sheet.shape[0] / len(rows)
        for row, distance in enumerate(distances[rows, 0]):
            place = (sheet.shape[1] * 1.01, (row + 0.5) * height)
            axes.text(*place, f"{distance:.3f}", va="center", fontsize=9.5, color="#666666")
        for x, text in (
            (left / 2 - GAP * left / 4, "sample"),
            (left, "nearest training images and the first's distance"),
        ):
            middle = "center" if text == "sample" else "left"
            axes.text(x, sheet.shape[0] * 1.01, text, va="top", ha=middle, fontsize=9.5, color="#666666")
    return rendered(figure)


def _sheet(samples, neighbors):
    """Rows of a sample, a gap and its neighbors; and the column where the neighbors begin."""
    n, h, w, c = samples.shape
    pad = max(1, w // 28)
    gap = round(GAP * w)
    cells = np.concatenate([samples[:, None], neighbors], 1)
    cells = np.pad(cells, ((0, 0), (0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=255)
    rows = cells.swapaxes(1, 2).reshape(n * (h + 2 * pad), -1, c)
    first = w + 2 * pad
    blank = np.full((len(rows), gap, c), 255, np.uint8)
    return np.concatenate([rows[:, :first], blank, rows[:, first:]], 1), first + gap
