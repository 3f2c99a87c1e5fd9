"""Sequences of tokens as rows of numbers, with a color per token, so that repetitions are seen."""

import numpy as np

from genjax.errors import InputError
from genjax.report.figures import rendered

ROWS, COLUMNS = 32, 40
"""Sequences and tokens that are drawn, the first ones."""


def draw(x):
    """The first sequences, one row each. Shapes: whole numbers [N, T, 1]. Raises: InputError for other shapes."""
    from matplotlib.colors import hsv_to_rgb
    from matplotlib.figure import Figure

    x = np.asarray(x)
    if x.ndim != 3 or x.shape[2] != 1 or 0 in x.shape:
        raise InputError(f"sequences of tokens are drawn as [N, T, 1]; got {list(x.shape)}")
    tokens = x[:ROWS, :COLUMNS, 0].astype(np.int64)
    rows, columns = tokens.shape
    figure = Figure(figsize=(0.42 * columns + 0.2, 0.26 * rows + 0.2), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    hue = tokens * 0.6180339887 % 1  # neighbors among the numbers get colors far apart
    axes.imshow(hsv_to_rgb(np.stack([hue, np.full(hue.shape, 0.3), np.ones(hue.shape)], -1)), aspect="auto")
    for (row, column), token in np.ndenumerate(tokens):
        axes.text(column, row, str(token), ha="center", va="center", fontsize=8, color="#222222")
    axes.set_xticks(np.arange(columns + 1) - 0.5, [])
    axes.set_yticks(np.arange(rows + 1) - 0.5, [])
    axes.grid(color="white", lw=1.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return rendered(figure)


def text(x) -> bytes:
    """One sequence as a line of numbers. Shapes: whole numbers [T, 1]."""
    return (" ".join(map(str, np.asarray(x)[:, 0].astype(np.int64))) + "\n").encode()
