"""Oscillation of GANs and its remedies: python -m experiments.gans.oscillation --out=runs/figures

Follows the bilinear game min over x, max over y of xy, the same game with a small quadratic term, and the Dirac-GAN
with and without R1, from one start with one rate. The eigenvalues of each game's Jacobian predict the paths. Writes
oscillation.png and oscillation.json. Nothing is random.
"""

from functools import partial

import numpy as np
from absl import flags

from experiments.gans import output
from experiments.gans.vector_fields import (
    UPDATES,
    bilinear,
    contraction_factor,
    dirac,
    eigenvalues,
    exponential_average,
    path,
    uniform_average,
)
from genjax.cli import entry
from genjax.report.figures import COLORS, rendered, tidy

FLAGS = flags.FLAGS

START = 1.0, 1.0
DAMPING = 0.2  # the quadratic term's weight
DECAY = 0.98  # of the exponential moving average
R1 = 0.0, 0.1, 0.3, 1.0, 2.0  # weights in the Dirac-GAN

AVERAGES = {"alternating, EMA": partial(exponential_average, decay=DECAY), "alternating, mean": uniform_average}
STYLES = {name: {"color": color} for name, color in zip([*UPDATES, *AVERAGES], COLORS, strict=True)}


def define_flags() -> None:
    """The flags of this entry point."""
    output.define_flags()
    flags.DEFINE_float("rate", 0.2, "The learning rate of both players.", lower_bound=1e-3, upper_bound=0.49)
    flags.DEFINE_integer("steps", 300, "Number of steps.", lower_bound=10, upper_bound=10_000)


def main() -> int:
    """Follow the games, write the figure and its numbers; returns the exit code."""
    folder = output.folder(FLAGS.out)
    games = {"bilinear": bilinear, "quadratic": partial(bilinear, damping=DAMPING)}
    games |= {f"dirac, R1 {r1:g}": partial(dirac, r1=r1) for r1 in R1}
    paths = {name: follow(field, FLAGS.rate, FLAGS.steps) for name, field in games.items()}
    numbers = {"rate": FLAGS.rate, "steps": FLAGS.steps, "damping": DAMPING, "decay": DECAY, "start": START}
    numbers["games"] = {name: summary(field, paths[name], FLAGS.rate) for name, field in games.items()}
    output.save(folder, ("oscillation", numbers), {"oscillation": draw(games, paths, FLAGS.rate)})
    return 0


def follow(field, rate: float, steps: int) -> dict[str, np.ndarray]:
    """The path of every update rule from START, and averages of the alternating one. Shapes: -> [steps + 1, 2] each."""
    paths = {name: path(update, field, rate, START, steps) for name, update in UPDATES.items()}
    return paths | {name: average(paths["alternating"]) for name, average in AVERAGES.items()}


def summary(field, paths: dict[str, np.ndarray], rate: float) -> dict:
    """Eigenvalues as (real, imaginary); per update rule, the factor per step and the last distance / the first."""
    last = {name: float(np.linalg.norm(z[-1]) / np.linalg.norm(z[0])) for name, z in paths.items()}
    return {
        "eigenvalues": [[float(value.real), float(value.imag)] for value in eigenvalues(field)],
        "factor": {name: contraction_factor(update, field, rate) for name, update in UPDATES.items()},
        "last distance": last,
    }


def draw(games, paths, rate: float):
    """Six panels of paths, distances and eigenvalues."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 7.6), dpi=110, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.08)
    (orbits, plain, damped), (plane, circling, pulled) = figure.subplots(2, 3)
    _orbits(orbits, paths["bilinear"])
    output.set_labels(orbits, "min over x, max over y of xy", "x", "y")
    for axes, name, title in (
        (plain, "bilinear", "Distance from the equilibrium"),
        (damped, "quadratic", f"... with {DAMPING:g} (x² - y²) / 2 added"),
    ):
        for rule, z in paths[name].items():
            axes.plot(np.linalg.norm(z, axis=1), lw=1.7, **STYLES[rule])
        axes.set(yscale="log", ylim=(1e-4, 1e3))
        output.set_labels(axes, title, "step", "distance")
    _plane(plane, rate)
    shades = COLORS[1], COLORS[4], COLORS[2], COLORS[3], COLORS[0]
    for r1, color in zip(R1, shades, strict=True):
        z = paths[f"dirac, R1 {r1:g}"]["simultaneous"]
        circling.plot(*z.T, lw=1.3, color=color)
        pulled.plot(np.linalg.norm(z, axis=1), lw=1.7, color=color, label=f"{r1:g}")
        for value in eigenvalues(games[f"dirac, R1 {r1:g}"]):
            plane.plot(value.real, value.imag, "o", color=color, ms=7, zorder=4)
    circling.plot(*START, "o", color=output.INK, ms=5)
    circling.plot(0, 0, "+", color=output.INK, ms=11, mew=1.6)
    circling.set(aspect="equal", xlim=(-3, 3), ylim=(-3, 3))
    output.set_labels(circling, "Dirac-GAN, simultaneous", "generator's θ", "critic's ψ")
    pulled.set(yscale="log", ylim=(1e-4, 1e3))
    output.set_labels(pulled, "Dirac-GAN: distance", "step", "distance")
    pulled.legend(
        title="weight of R1, in all panels of this row",
        fontsize=9.5,
        frameon=False,
        ncols=len(R1),
        columnspacing=1.2,
        handlelength=1.2,
    )
    for axes in (orbits, plain, damped, plane, circling, pulled):
        tidy(axes)
    handles = [plain.lines[i] for i in range(len(STYLES))]
    figure.legend(handles, list(STYLES), loc="outside upper center", ncols=len(STYLES), frameon=False, fontsize=10)
    return rendered(figure)


def _orbits(axes, paths):
    for rule, z in paths.items():
        if rule == "simultaneous":
            z = z[np.linalg.norm(z, axis=1) < 6]
        axes.plot(*z.T, lw=1.2, zorder=2 if rule == "alternating" else 3, **STYLES[rule])
    axes.plot(*START, "o", color=output.INK, ms=5, zorder=5)
    axes.set(aspect="equal", xlim=(-3, 3), ylim=(-3, 3))


def _plane(axes, rate):
    """The complex plane: the disc where simultaneous steps converge, and the eigenvalues of each game."""
    from matplotlib.patches import Circle

    axes.add_patch(Circle((-1 / rate, 0), 1 / rate, color=COLORS[0], alpha=0.12, lw=0))
    axes.axvline(0, color="#666666", lw=0.8)
    line = np.linspace(0, 2.4, 400)
    text = {"textcoords": "offset points", "va": "center", "fontsize": 9.5, "color": output.INK}
    for sign in (1, -1):
        values = -line / 2 + sign * np.sqrt((line / 2) ** 2 - 0.25 + 0j)
        axes.plot(values.real, values.imag, color="#999999", lw=1.2, zorder=3)
        axes.plot(0, sign, "s", color=output.INK, ms=6, zorder=4)
        axes.plot(-DAMPING, sign, "D", color=output.INK, ms=5.5, zorder=4)
    axes.annotate("xy", (0, 1), (8, 0), **text)
    axes.annotate("with x² - y²", (-DAMPING, 1), (-9, 0), ha="right", **text)
    axes.annotate("Dirac-GAN", (0, 0.5), (8, 0), **text)
    axes.text(-2.15, -1.3, "simultaneous steps converge", fontsize=9.5, color=COLORS[0], va="bottom")
    axes.set(xlim=(-2.25, 0.75), ylim=(-1.4, 1.4), aspect="equal")
    output.set_labels(axes, "Eigenvalues of the game's Jacobian", "real part", "imaginary part")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
