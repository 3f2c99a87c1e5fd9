"""Latents of examples in the plane: by principal components, or by t-SNE with scikit-learn."""

from collections.abc import Sequence

import numpy as np

from genjax.errors import InputError, optional
from genjax.report.display import shown
from genjax.report.figures import COLORS, plain, rendered

THUMBNAIL = 0.042
"""The side of a thumbnail, as a share of the figure's side."""


def pca(latents) -> tuple[np.ndarray, np.ndarray]:
    """Latents on their first two principal components, and each one's share of the variance.

    Shapes: [N, D] -> [N, 2], [2]. Raises: InputError for fewer than two latents or two dimensions.
    """
    z = np.asarray(latents, np.float64).reshape(len(latents), -1)
    mean, components, shares = principal_components(z)
    return (z - mean) @ components.T, shares


def principal_components(z) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean of vectors, their first two principal components, and each one's share of the variance.

    The sign of a component is such that its largest entry is positive. Shapes: [N, D] -> [D], [2, D], [2].
    Raises: InputError for fewer than two vectors or two dimensions.
    """
    if min(z.shape) < 2:
        raise InputError(f"a plane of principal components needs 2 latents of 2 dimensions; got {list(z.shape)}")
    mean = z.mean(0)
    _, values, components = np.linalg.svd(z - mean, full_matrices=False)
    components = components[:2]
    largest = np.abs(components).argmax(1)
    components = components * np.sign(components[[0, 1], largest])[:, None]
    variances = values**2
    return mean, components, variances[:2] / max(variances.sum(), np.finfo(float).tiny)


def need_tsne() -> None:
    """Raises: InputError without scikit-learn, which t-SNE is taken from."""
    optional("sklearn", "t-SNE")


def tsne(latents, seed: int = 0) -> np.ndarray:
    """Latents by t-SNE, initialized by principal components and deterministic. Shapes: [N, ...] -> [N, 2].

    Source: van der Maaten and Hinton, "Visualizing data using t-SNE" (2008).
    Raises: InputError without scikit-learn, or for fewer than 4 latents.
    """
    need_tsne()
    z = np.asarray(latents, np.float32).reshape(len(latents), -1)
    if len(z) < 4:
        raise InputError(f"t-SNE needs at least 4 latents; got {len(z)}")
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(z) - 1) / 3)
    init = "pca" if z.shape[1] > 1 else "random"
    return TSNE(2, perplexity=perplexity, init=init, random_state=seed).fit_transform(z).astype(np.float64)


def draw(points, labels=None, names: Sequence[str] = (), thumbnails=None, title: str = "", axes_names=("", "")):
    """Points in the plane, colored by class with a legend, and thumbnails where they do not overlap.

    Shapes: points [N, 2], labels int [N], names of the labels, thumbnails uint8 [N, H, W, C].
    """
    from matplotlib.figure import Figure

    points = np.asarray(points, float)
    figure = Figure(figsize=(10, 8.6), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    classes = np.zeros(len(points), int) if labels is None else np.asarray(labels)
    present = np.unique(classes)
    colors = _colors(len(names) or int(classes.max()) + 1)
    size = float(np.clip(20000 / max(len(points), 1), 4, 30))
    for number in present:
        mine = classes == number
        label = plain(names[number]) if number < len(names) else str(number)
        axes.scatter(*points[mine].T, s=size, color=colors[number % len(colors)], lw=0, alpha=0.75, label=label)
    low, high = limits(points)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    inside = ((points >= low) & (points <= high)).all(1)
    if not inside.all():
        text = f"{(~inside).sum():,} of {len(points):,} outside"
        axes.text(0.99, 0.01, text, transform=axes.transAxes, ha="right", va="bottom", color="#666666")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#cccccc")
    axes.set_xlabel(axes_names[0], color="#666666")
    axes.set_ylabel(axes_names[1], color="#666666")
    if title:
        axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color="#333333")
    if labels is not None and len(present) <= 30:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=3, fontsize=10)
    if thumbnails is not None:
        figure.draw_without_rendering()  # fixes the positions of the axes
        place = axes.transData.transform(points)
        side = THUMBNAIL * min(figure.bbox.width, figure.bbox.height)
        shown = np.flatnonzero(inside)
        for index in shown[apart(place[shown], 1.3 * side)]:
            color = colors[classes[index] % len(colors)] if labels is not None else "#888888"
            _thumbnail(axes, thumbnails[index], points[index], side, color)
    return rendered(figure)


def limits(points) -> tuple[np.ndarray, np.ndarray]:
    """The lower and upper limits of the axes: all points, unless a few distant ones would crowd the others.

    Per axis, the limits extend beyond the middle 99 % of points by at most a third of their range, plus a margin.
    Shapes: points [N, 2] -> [2], [2].
    """
    low, high = points.min(0), points.max(0)
    near, far = np.quantile(points, (0.005, 0.995), axis=0)
    room = (far - near) / 3
    low, high = np.maximum(low, near - room), np.minimum(high, far + room)
    margin = 0.04 * np.where(high > low, high - low, 1)
    return low - margin, high + margin


def apart(places, distance: float) -> list[int]:
    """Indices of places at least `distance` apart along one axis, chosen greedily in order. Shapes: places [N, 2]."""
    chosen = np.empty((0, 2))
    indices = []
    for index, place in enumerate(np.asarray(places, float)):
        if not len(chosen) or (np.abs(chosen - place).max(1) >= distance).all():
            chosen = np.concatenate([chosen, place[None]])
            indices.append(index)
    return indices


def _colors(count: int) -> list:
    """Colors of classes: those of all figures, or Matplotlib's if there are more classes."""
    if count <= len(COLORS):
        return list(COLORS)
    from matplotlib import colormaps

    if count <= 20:
        return list(colormaps["tab10" if count <= 10 else "tab20"].colors)
    return list(colormaps["turbo"](np.linspace(0.05, 0.95, count)))


def _thumbnail(axes, image, point, side, color):
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    image = shown(image)
    zoom = side / max(image.shape[:2]) * 72 / axes.figure.dpi
    image = OffsetImage(
        image[..., 0] if image.shape[2] == 1 else image, zoom=zoom, cmap="gray", norm=_plain(), interpolation="nearest"
    )
    frame = {"edgecolor": color, "lw": 1.6, "facecolor": "white"}
    axes.add_artist(AnnotationBbox(image, point, pad=0.08, bboxprops=frame))


def _plain():
    """Gray levels unchanged: 0 black, 255 white."""
    from matplotlib.colors import Normalize

    return Normalize(0, 255)
