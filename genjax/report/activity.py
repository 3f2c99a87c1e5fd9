"""Activity of latents: in a sparse code most activations are near zero, and no latent is always active."""

import numpy as np

from genjax.report.figures import COLORS, rendered, tidy


def draw(latents, target: float | None = None):
    """Histograms of all activations, and of the mean of each latent over examples; `target` is a line in the second.

    Shapes: latents [N, ...].
    """
    from matplotlib.figure import Figure

    z = np.asarray(latents, np.float64).reshape(len(latents), -1)
    means = z.mean(0)
    figure = Figure(figsize=(10, 3.6), dpi=120, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12)
    left, right = figure.subplots(1, 2)
    share = np.full(z.size, 1 / z.size)
    left.hist(z.ravel(), bins=_edges(z, 40), weights=share, color=COLORS[0])
    left.set_title("Activations", loc="left", fontsize=11, fontweight="bold", color="#333333")
    left.set_xlabel(f"activation ({z.shape[1]:,} latents of {len(z):,} examples)", color="#333333")
    right.hist(means, bins=_edges(means, 20), weights=np.full(len(means), 1 / len(means)), color=COLORS[2])
    right.set_title("Mean activity of a latent", loc="left", fontsize=11, fontweight="bold", color="#333333")
    right.set_xlabel("mean over examples", color="#333333")
    marks = [(means.mean(), "-", "#222222", f"mean of all, {means.mean():.3g}")]
    if target is not None:
        marks.append((target, "--", COLORS[1], f"target, {target:g}"))
    for at, style, color, label in marks:
        right.axvline(at, ls=style, color=color, lw=1.6, label=label)
    right.legend(frameon=False, fontsize=9.5)
    for axes in (left, right):
        tidy(axes)
        axes.locator_params(axis="x", nbins=7)
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")
    left.set_ylabel("share of activations", color="#333333")
    right.set_ylabel("share of latents", color="#333333")
    return rendered(figure)


def _edges(values, bins):
    """Bins over all values; bins around the value if there is only one."""
    low = float(values.min())
    high = float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)
