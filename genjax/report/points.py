"""Points of any dimension over the data's: a histogram, a scatter plot, or one scatter plot per pair of coordinates."""

from itertools import combinations

import numpy as np

from genjax.errors import InputError
from genjax.report.figures import COLORS, rendered, tidy

COORDINATES = 4
"""Coordinates whose pairs are drawn, the first ones."""

GRAY = "#b4b9c0"


def draw(points, reference=None, name: str = "generated"):
    """Points, called `name` in the legend, over those of the data.

    Limits depend on the data alone and the size of the image on the dimension alone, so that images of one run line up.
    Points that are outside the limits or not finite are counted in a corner.
    Shapes: points [N, D], reference [M, D] -> an image; D = 1 gives a histogram, 2 a scatter plot, and more one scatter
    plot per pair of the first `COORDINATES` coordinates.
    Raises: InputError for other shapes.
    """
    points = np.asarray(points, float)
    reference = points if reference is None else np.asarray(reference, float)
    for role, x in (("points", points), ("reference", reference)):
        if x.ndim != 2 or x.shape[1] != np.shape(points)[-1] or not x.shape[1]:
            raise InputError(f"a plot of points shows {role} [N, D] of one D; got {list(x.shape)}")
    shows_data = reference is not points
    center, half = _limits(reference)
    if points.shape[1] == 1:
        return _histogram(points[:, 0], reference[:, 0] if shows_data else None, center, half, name)
    return _scatter(points, reference if shows_data else None, center, half, name)


def draw_projection(points, reference, name: str = "generated"):
    """Points over those of the data in a plane of this image alone, such as that of t-SNE.

    All that are finite are within the limits, the others are counted in a corner. Both axes have one scale, and the
    image is as high as they need.
    Shapes: points [N, 2], reference [M, 2] -> an image. Raises: InputError for other shapes, or none that is finite.
    """
    from matplotlib.figure import Figure

    points, reference = (np.asarray(x, float) for x in (points, reference))
    if points.shape[1:] != (2,) or reference.shape[1:] != (2,):
        raise InputError(f"a projection has points [N, 2]; got {list(points.shape)} and {list(reference.shape)}")
    both = np.concatenate([points, reference])
    both = both[np.isfinite(both).all(1)]
    if not len(both):
        raise InputError(f"none of {len(points) + len(reference):,} points is finite")
    width, height = np.ptp(both, 0)
    ratio = float(np.clip(height / width, 0.45, 1.5)) if width else 1.0
    figure = Figure(figsize=(6.4, 6.4 * ratio + 0.5), dpi=100, layout="constrained")  # half an inch: the legend
    axes = figure.add_subplot()
    axes.set_aspect("equal", adjustable="datalim")
    _dots(axes, points, reference, name, _area(points))
    _count(axes, int((~np.isfinite(points).all(1)).sum()), len(points), "not finite")
    tidy(axes)
    figure.legend(loc="outside upper right", ncols=2, markerscale=2, frameon=False)
    return rendered(figure)


def _dots(axes, points, reference, name, area):
    """Two sets of dots, the data's below."""
    if reference is not None:
        axes.scatter(*reference.T, s=area, c=GRAY, lw=0, label="data")
    axes.scatter(*points.T, s=area, c=COLORS[1], alpha=0.7, lw=0, label=name)


def _area(points) -> float:
    """The area of a dot: many points have small ones."""
    return float(np.clip(6000 / max(len(points), 1), 3, 20))


def _limits(reference):
    """The center of the data and half the side of a cube around it, with a margin. Shapes: [M, D] -> [D], float."""
    finite = reference[np.isfinite(reference).all(1)]
    if not len(finite):
        return np.zeros(reference.shape[1]), 1.0
    low = finite.min(0)
    high = finite.max(0)
    return (low + high) / 2, float(0.6 * (high - low).max()) or 1.0


def _scatter(points, reference, center, half, name):
    from matplotlib.figure import Figure

    pairs = list(combinations(range(min(points.shape[1], COORDINATES)), 2))
    columns = min(len(pairs), 3)
    rows = -(-len(pairs) // columns)
    side = 6.4 if len(pairs) == 1 else 4.2
    figure = Figure(figsize=(side * columns, side * rows), dpi=100, layout="constrained")
    area = _area(points) / len(pairs) ** 0.5
    for axes, (x, y) in zip(figure.subplots(rows, columns, squeeze=False).ravel(), pairs, strict=True):
        axes.set_aspect("equal")
        plane = [x, y]
        _dots(axes, points[:, plane], None if reference is None else reference[:, plane], name, area)
        axes.set_xlim(center[x] - half, center[x] + half)
        axes.set_ylim(center[y] - half, center[y] + half)
        if len(pairs) > 1:
            axes.set_xlabel(f"coordinate {x + 1}", color="#333333")
            axes.set_ylabel(f"coordinate {y + 1}", color="#333333")
        tidy(axes)
    _note(figure.axes[-1], points, center, half)
    if reference is not None:
        figure.axes[0].legend(loc="upper right", markerscale=2, frameon=True, framealpha=0.9, edgecolor="none")
    return rendered(figure)


def _histogram(points, reference, center, half, name):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 6.4), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    edges = np.linspace(center[0] - half, center[0] + half, 61)
    for x, color, label in ((reference, GRAY, "data"), (points, COLORS[1], name)):
        if x is not None:
            share = np.full(len(x), 100 / max(len(x), 1))
            axes.hist(x, bins=edges, weights=share, color=color, alpha=0.7, label=label)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylabel("share of points, %", color="#333333")
    _note(axes, points[:, None], center, half, 0.02, 0.97, "left")
    if reference is not None:
        axes.legend(loc="upper right", frameon=False)
    tidy(axes)
    return rendered(figure)


def _note(axes, points, center, half, x=0.98, y=0.02, align="right"):
    """The number of points that are outside the limits, in a corner."""
    outside = len(points) - int((np.abs(points - center) <= half).all(1).sum())
    _count(axes, outside, len(points), "outside", x, y, align)


def _count(axes, number, of, text, x=0.98, y=0.02, align="right"):
    if number:
        axes.text(x, y, f"{number:,} of {of:,} {text}", transform=axes.transAxes, ha=align, color="#666666")
