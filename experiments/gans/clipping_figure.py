"""The figures of experiments.gans.clipping: value surfaces; gradients through the layers, and weights."""

from collections.abc import Mapping

import numpy as np

from experiments.gans.output import INK, set_labels
from genjax.report.figures import COLORS, rendered, tidy

TITLES = {"clipping": "weight clipping", "penalty 0.1": "gradient penalty"}


def surfaces_figure(heights: Mapping[str, np.ndarray], x: Mapping[str, np.ndarray], edge: float):
    """One row per constraint, one column per data set; contour levels divide each panel's own range."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    shades = LinearSegmentedColormap.from_list("house", ["#ffffff", COLORS[0]])
    figure = Figure(figsize=(10.5, 7.3), dpi=90, layout="constrained")
    panels = figure.subplots(len(heights), len(x), sharex=True, sharey=True)
    line = np.linspace(-edge, edge, next(iter(heights.values())).shape[-1])
    for row, (kind, surfaces) in zip(panels, heights.items(), strict=True):
        for axes, name, surface in zip(row, x, surfaces, strict=True):
            levels = np.linspace(surface.min(), surface.max(), 13)
            axes.contourf(line, line, surface, levels, cmap=shades)
            axes.contour(line, line, surface, levels, colors=INK, linewidths=0.5, linestyles="solid")
            axes.plot(*x[name][:600].T, ".", color=COLORS[1], ms=3, mew=0)
            axes.set(aspect="equal", xlim=(-edge, edge), ylim=(-edge, edge))
            axes.set_title(f"{name}, {TITLES[kind]}", loc="left", fontsize=10.5, fontweight="bold", color=INK)
            tidy(axes)
            axes.grid(False)
        row[0].set_ylabel("$x_2$", color=INK)
    for axes in panels[-1]:
        axes.set_xlabel("$x_1$", color=INK)
    text = "orange: reals · blue: the critic's value, darker is higher; 12 levels from its minimum to its maximum"
    figure.supxlabel(text, fontsize=9.5, color=INK)
    return rendered(figure)


def layers_figure(layers: Mapping[str, tuple[np.ndarray, np.ndarray]], weights: Mapping[str, np.ndarray], clip: float):
    """Gradients by layer, before training (dotted) and after; weights of a clipped and of a penalized critic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.8), dpi=110, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.25, 1))
    axes = left.subplots()
    for (name, (before, after)), color in zip(layers.items(), (*COLORS[1:4], COLORS[0]), strict=True):
        depth = np.arange(1, before.shape[1] + 1)
        axes.plot(depth, _log_mean(before), color=color, lw=1, ls=":")
        axes.plot(depth, _log_mean(after), color=color, lw=1.9, marker="o", ms=4, label=name)
    axes.plot([], [], color="#777777", lw=1, ls=":", label="before training")
    axes.set(yscale="log", xticks=depth)
    axes.legend(fontsize=9.5, frameon=True, framealpha=0.9, edgecolor="none")
    set_labels(axes, "Gradient with respect to each layer's output", "layer, from the input", "mean norm")
    tidy(axes)
    for axes, (name, values) in zip(right.subplots(2, 1), weights.items(), strict=True):
        edge = 1.1 * clip if name == "clipping" else 0.5
        axes.hist(
            np.clip(values, -edge, edge), np.linspace(-edge, edge, 67), color=COLORS[1 if name == "clipping" else 0]
        )
        title = f"Weights under clipping, c = {clip:g}" if name == "clipping" else "Weights under the gradient penalty"
        set_labels(axes, title, "weight" if name == "clipping" else "weight (outer bins include all beyond)", "count")
        axes.set_xlim(-edge, edge)
        tidy(axes)
    return rendered(figure)


def _log_mean(norms):
    """The geometric mean over seeds. Shapes: [seeds, layers] -> [layers]."""
    return np.exp(np.log(np.maximum(norms, 1e-45)).mean(0))
