"""Figures of the attacks: accuracy over the size of the attack, and what attacked images look like."""

import numpy as np

from experiments.attacks.measure import ATTACKS
from experiments.gans.output import set_labels
from genjax.ops.pixels import quantize
from genjax.report.figures import COLORS, grid, name_rows, rendered, tidy


def accuracies(curves, epsilons):
    """Accuracy over epsilon for each classifier and attack, with intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), dpi=120, layout="constrained")
    axes = figure.subplots()
    for (name, kinds), color in zip(curves.items(), COLORS, strict=False):
        for (kind, values), dashes in zip(kinds.items(), ("--", "-"), strict=True):
            share, low, high = np.transpose(values)
            axes.plot(epsilons, share, dashes, color=color, lw=2, marker="o", ms=4, label=f"{name}, {kind}")
            axes.fill_between(epsilons, low, high, color=color, alpha=0.12, lw=0)
    axes.set_ylim(0, 1)
    set_labels(axes, "Attacks on a classifier of clothes", "epsilon, for pixels from 0 to 1", "accuracy")
    axes.legend(frameon=False, fontsize=9)
    tidy(axes)
    return rendered(figure)


def examples(images, defended, count: int = 8):
    """Rows of the first images: clean, attacked, and in each case what Defense-GAN puts in their place."""
    rows = [row[kind][:count] for kind in ATTACKS for row in (images, defended)]
    names = [text for kind in ATTACKS for text in (kind, "its projection")]
    sheet = grid(quantize(255 * np.concatenate(rows)), len(rows[0]), scale=3)
    return name_rows(sheet, names)
