"""The figure of experiments.gans.vanishing: divergence, distance, gradients, and the critics themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from experiments.gans import gaussians_1d
from experiments.gans.output import INK, set_labels
from genjax.report.figures import COLORS, rendered, tidy

COLOR = {"discriminator": COLORS[1], "minimax": COLORS[1], "non-saturating": COLORS[4]}
COLOR |= {"penalty 10": COLORS[0], "penalty 30": COLORS[3], "penalty 100": COLORS[5], "clipping": COLORS[2]}
LABEL = {f"penalty {weight}": f"gradient penalty, λ = {weight}" for weight in (10, 30, 100)}
LABEL |= {"clipping": "clipping, c = 0.1"}


def draw(rows: Sequence[Mapping[str, Any]], grid: np.ndarray, shown: float, curves: Mapping[str, np.ndarray]):
    """Four panels: lines are exact; markers are trained critics, with their range over seeds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.5, 8), dpi=110, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.08)
    (divergence, distance), (gradient, critics) = figure.subplots(2, 2)
    theta = np.array([row["theta"] for row in rows])
    line = np.linspace(theta[0], theta[-1], 60)

    divergence.axhline(np.log(2), color="#999999", lw=1, ls="--")
    divergence.text(theta[0], np.log(2) + 0.012, "log 2", color=INK, fontsize=9.5)
    divergence.plot(line, [gaussians_1d.jensen_shannon(at) for at in line], color=INK, lw=1.5, label="exact")
    _markers(divergence, theta, rows, "values", "discriminator", "log 2 - the discriminator's loss")
    divergence.set_ylim(0, 0.8)
    set_labels(divergence, "Jensen-Shannon divergence", "distance θ", "nats")

    distance.plot(theta, theta, color=INK, lw=1.5, label="exact Wasserstein-1: θ")
    distance.plot(
        theta, [row["exact"]["scipy"] for row in rows], "x", color=INK, ms=8, label="SciPy, of 10,000 examples"
    )
    for name in ("penalty 10", "penalty 30", "penalty 100"):
        _markers(distance, theta, rows, "values", name, LABEL[name])
        exact = [gaussians_1d.penalized(at, float(name.split()[1]))[0] for at in line]
        distance.plot(line, exact, color=COLOR[name], lw=1.2)
    factor = np.mean([row["factor of clipping"][0] for row in rows])
    means = np.array([row["values"]["clipping"][0] for row in rows])
    distance.plot(theta, means / factor, "s", color=COLOR["clipping"], ms=5, label=f"clipping, divided by {factor:.2g}")
    set_labels(distance, "The critic's value", "distance θ", "value")

    minimax, non_saturating = np.transpose([gaussians_1d.optimal_slopes(at) for at in line])
    penalized = [gaussians_1d.penalized(at, 10.0)[1] for at in line]
    for name, exact in (("minimax", minimax), ("non-saturating", non_saturating), ("penalty 10", penalized)):
        gradient.plot(line, exact, color=COLOR[name], lw=1.2)
    for name in ("minimax", "non-saturating", "penalty 10", "clipping"):
        _markers(gradient, theta, rows, "gradients", name, LABEL.get(name, name))
    gradient.set(yscale="log", ylim=(1e-12, 1e4))
    set_labels(gradient, "Gradient of the generator", "distance θ", "|d loss / d θ|")

    _critics(critics, grid, shown, curves)
    set_labels(critics, f"The critics at θ = {shown:g}", "x", "critic, scaled to [0, 1]")
    for axes, place in ((divergence, "lower right"), (distance, "upper left"), (gradient, "lower left")):
        axes.legend(loc=place, fontsize=9.5, frameon=True, framealpha=0.9, edgecolor="none")
        tidy(axes)
    text = "lines: exact, by numerical integration · markers: trained critics, with their range over seeds"
    figure.supxlabel(text, fontsize=9.5, color=INK)
    return rendered(figure)


def _markers(axes, theta, rows, quantity, name, label):
    mean, low, high = np.array([row[quantity][name] for row in rows]).T
    ends = np.maximum([mean - low, high - mean], 0)
    axes.errorbar(theta, mean, ends, fmt="o", color=COLOR[name], ms=4.5, capsize=3, lw=1.2, label=label)


def _critics(axes, grid, shown, curves):
    """Both densities as areas; the first seed's critics scaled to [0, 1], the discriminator as a probability."""
    for center, name in ((0, "reals"), (shown, "fakes")):
        axes.fill_between(
            grid, np.exp(-(((grid - center) / gaussians_1d.STD) ** 2) / 2), color="#b4b9c0", alpha=0.45, lw=0
        )
        axes.text(center, 0.06, name, ha="center", color=INK, fontsize=9.5)
    for name in ("discriminator", "penalty 10", "clipping"):
        y = np.float64(curves[name][0])
        y = expit(y) if name == "discriminator" else (y - y.min()) / max(y.max() - y.min(), 1e-12)
        axes.plot(grid, y, color=COLOR[name], lw=1.9, label=LABEL.get(name, "discriminator, as D"))
    axes.set_ylim(-0.03, 1.3)
    axes.legend(loc="upper right", fontsize=9.5, frameon=False, ncols=2)
    tidy(axes)
