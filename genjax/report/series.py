"""Series as lines over time, alone or with their reconstructions."""

import numpy as np

from genjax.errors import InputError
from genjax.report.figures import COLORS, rendered, tidy

PANELS = 12
"""Series that are drawn, the first ones."""

LINES = 3
"""Numbers per step that are drawn, the first ones."""


def profiles(x):
    """Each series as one vector: the mean of its numbers at every step, and after its end the last of these.

    Source: `visualization` of TimeGAN's authors, for series of equal lengths. Shapes: [N, T, F] -> float64 [N, T].
    """
    means = np.asarray(x, np.float64).mean(-1)
    last = np.maximum.accumulate(np.where(np.isfinite(means), np.arange(means.shape[1]), 0), 1)
    return np.take_along_axis(means, last, 1)


def draw(x, restored=None):
    """The first series, one panel each and one color per number; reconstructions are dashed.

    Shapes: x, restored [N, T, F]; NaN is padding after the end of a series.
    Raises: InputError for other shapes.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    x = np.asarray(x, float)
    shapes = {x.shape} if restored is None else {x.shape, np.shape(restored)}
    if x.ndim != 3 or not len(x) or len(shapes) > 1:
        raise InputError(f"series are drawn as [N, T, F], N at least 1; got {[list(shape) for shape in shapes]}")
    count = min(len(x), PANELS)
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(10, 1.9 * rows + 0.6), dpi=100, layout="constrained")
    for i, axes in enumerate(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()):
        if i >= count:
            axes.axis("off")
            continue
        single_step = np.isfinite(x[i]).all(-1).sum() == 1  # one step makes no line: it gets marks
        for number, color in zip(range(min(x.shape[2], LINES)), COLORS, strict=False):
            style = {"color": color, "lw": 1.1, "alpha": 0.5 if restored is not None else 0.9}
            axes.plot(x[i, :, number], marker="o" if single_step else "", **style)
            if restored is not None:
                axes.plot(restored[i][:, number], marker="x" if single_step else "", color=color, lw=1.4, ls="--")
        tidy(axes)
    if restored is not None:
        styles = (("-", "data"), ("--", "restored"))
        keys = [Line2D([], [], color="#666666", ls=style, label=name) for style, name in styles]
        figure.legend(handles=keys, loc="outside upper right", ncols=2, frameon=False, fontsize=9.5)
    return rendered(figure)
