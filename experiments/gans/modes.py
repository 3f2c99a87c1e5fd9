"""Which modes a GAN covers, as it trains: python -m experiments.gans.modes --data=grid25 --out=runs/modes

Trains each method of METHODS from several seeds on a mixture of Gaussians in the plane, and counts modes as PacGAN
does (arXiv:1712.04086, section 4.1): 2,500 samples, good within three standard deviations. Writes a table, the counts
of every seed as JSON, a figure, and an animation of the first seed. Methods that are done are not trained again.
"""

import csv
import io
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from absl import flags
from scipy import stats

from experiments.gans import many
from genjax.cli import entry
from genjax.data.synthetic import mixture
from genjax.engine.compiler import enable_compilation_cache
from genjax.errors import InputError, did_you_mean
from genjax.files import write_bytes
from genjax.metrics.modes import count_modes
from genjax.report.figures import COLORS, rendered, save_gif, save_png, tidy
from genjax.tasks import gan

FLAGS = flags.FLAGS

SAMPLES = 2500
FRAMES = 30

WASSERSTEIN = {"loss.name": "wasserstein", "critic_steps": 5}
METHODS: dict[str, Mapping[str, Any]] = {
    "GAN": {},
    "unrolled 5 steps": {"unroll": 5},
    "PacGAN2": {"packing": 2},
    "PacGAN4": {"packing": 4},
    "minibatch discrimination": {"critic.minibatch": "discrimination"},
    "experience replay": {"replay.capacity": 12_800},
    "WGAN clipping": WASSERSTEIN | {"optimizer.critic.weight_clip": 0.1},
    "WGAN-GP": WASSERSTEIN | {"penalty.gradient_penalty": 0.1},
    "spectral normalization": {"critic.spectral": True},
    "R1": {"penalty.r1": 0.01},
    "all modes": {
        "penalty.r1": 0.01,
        "batch": 256,
        "ema.half_life": 200_000.0,
        "optimizer.generator.learning_rate": 4e-3,
        "optimizer.critic.learning_rate": 4e-3,
        "generator.widths": (128, 128, 128),
        "critic.widths": (128, 128, 128),
    },
}
"""Each differs from the plain GAN in these keys alone. The last is what was found to cover all modes of both laws."""

LONGER = {"all modes": 4}
"""Times the steps of the others."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_enum("data", "grid25", ["ring8", "grid25"], "The mixture.")
    flags.DEFINE_list("methods", [], f"Some of {', '.join(METHODS)}; default: all.")
    flags.DEFINE_integer("seeds", 10, "Runs of each, at least 2.", lower_bound=2)
    flags.DEFINE_integer("steps", 10_000, "Of the generator.", lower_bound=1)
    flags.DEFINE_string("out", "runs/modes", "The folder to write to.")


def main() -> None:
    """Train what is not done yet, then write what all come to."""
    enable_compilation_cache()
    for name in FLAGS.methods:
        if name not in METHODS:
            raise InputError(f"--methods: no {name!r}{did_you_mean(name, METHODS)}; there is {'; '.join(METHODS)}")
    folder, found = Path(FLAGS.out), {}
    for name in FLAGS.methods or METHODS:
        found[name] = result(folder, name)
        write_numbers(folder, found)
    write_images(folder, found)
    print((folder / f"{FLAGS.data}.md").read_text())


def config_of(method: str, data: str, steps: int):
    """Two hidden layers of 128 in both nets, batches of 128, Adam 1e-3 (0.5, 0.999) that falls to zero."""
    steps *= LONGER.get(method, 1)
    c = gan.config()
    c.steps, c.batch, c.latent, c.data.name = steps, 128, 2, data
    c.generator = {"net": "mlp", "widths": (128, 128), "activation": "relu", "output": "linear"}
    given = {"spectral": False, "minibatch": "", "minibatch_kernels": 8}
    c.critic = {"net": "mlp", "widths": (128, 128), "activation": "relu"} | given
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=1e-3, decay=steps)
    c.update_from_flattened_dict(METHODS[method])
    return c


def result(folder: Path, method: str) -> dict[str, Any]:
    """Counts over training, a row a seed, and the first seed's samples. Raises: InputError for another study's file."""
    asked = {"data": FLAGS.data, "seeds": FLAGS.seeds, "steps": FLAGS.steps, "overrides": dict(METHODS[method])}
    asked = json.loads(json.dumps(asked))  # tuples as lists
    path = folder / FLAGS.data / f"{method.replace(' ', '_')}.json"
    if path.exists():
        kept = json.loads(path.read_text())
        if kept["asked"] != asked:
            raise InputError(f"{path} is of {kept['asked']}, not of {asked}: take another --out")
        return kept
    law = mixture(FLAGS.data)
    kept = {"asked": asked, "steps": [], "covered": [], "good": [], "kl": [], "samples": []}
    config, sample = config_of(method, FLAGS.data, FLAGS.steps), None
    for step, task, states, _ in many.train(config, FLAGS.seeds, -(-config.steps // FRAMES)):
        sample = sample or jax.jit(jax.vmap(partial(task.outputs["sample"], seeds=np.arange(SAMPLES))))
        x = sample(states)
        counts = [count_modes(of_seed, law.centers, law.std) for of_seed in np.asarray(x)]
        for key, name in (("covered", "covered"), ("good", "high_quality"), ("kl", "kl")):
            kept[key].append([float(getattr(count, name)) for count in counts])
        kept["steps"].append(step)
        kept["samples"].append(np.round(np.asarray(x[0, :500]), 3).tolist())
    write_bytes(path, json.dumps(kept).encode())
    print(f"{method}: {np.mean(kept['covered'][-1]):.1f} modes, {np.mean(kept['good'][-1]):.1%} good", flush=True)
    return kept


def interval(values) -> tuple[float, float]:
    """The mean's 95% bootstrap interval over seeds (percentiles, 10,000 draws of seed 0)."""
    if np.ptp(values) == 0:
        return values[0], values[0]
    draws = {"method": "percentile", "n_resamples": 10_000, "rng": np.random.default_rng(0)}
    found = stats.bootstrap((np.asarray(values),), np.mean, **draws).confidence_interval
    return found.low, found.high


def write_numbers(folder: Path, found: Mapping[str, Mapping[str, Any]]) -> None:
    """The table, and the seeds as CSV, of all methods so far."""
    write_bytes(folder / f"{FLAGS.data}.md", as_markdown(found).encode())
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["method", "seed", "step", "modes", "good", "kl"])
    for name, kept in found.items():
        for step, *counts in zip(kept["steps"], kept["covered"], kept["good"], kept["kl"], strict=True):
            rows.writerows([name, seed, step, *values] for seed, values in enumerate(zip(*counts, strict=True)))
    write_bytes(folder / f"{FLAGS.data}.csv", text.getvalue().encode())


def write_images(folder: Path, found: Mapping[str, Mapping[str, Any]]) -> None:
    """The figure, the last samples and the animation."""
    save_png(folder / f"{FLAGS.data}.png", as_figure(found))
    frames = []
    for number in range(len(next(iter(found.values()))["steps"])):
        frames.append(io.BytesIO())
        as_frame(found, number).save(frames[-1], "PNG")
    save_gif(folder / f"{FLAGS.data}.gif", frames)
    save_png(folder / f"{FLAGS.data}_samples.png", as_frame(found, -1))


def as_markdown(found) -> str:
    """Means over seeds at the end, with their intervals, and how many seeds had all modes."""
    total = len(mixture(FLAGS.data).centers)
    lines = ["| Method | Modes | Good samples | KL, nats | Seeds with all modes |", "|---|---|---|---|---|"]
    for name, kept in found.items():
        covered, good, kl = (kept[key][-1] for key in ("covered", "good", "kl"))
        cells = ["{:.1f} ({:.1f} to {:.1f})".format(np.mean(covered), *interval(covered))]
        cells.append("{:.1%} ({:.1%} to {:.1%})".format(np.mean(good), *interval(good)))
        cells += [f"{np.mean(kl):.2f}", f"{sum(c == total for c in covered)} of {len(covered)}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def as_figure(found):
    """Modes and good samples at the end, a dot a seed and the mean's interval."""
    from matplotlib.figure import Figure

    total = len(mixture(FLAGS.data).centers)
    figure = Figure(figsize=(10, 0.9 + 0.36 * len(found)), dpi=130, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    heads = f"modes of {total} with a good sample", "good samples, %"
    for axes, key, scale, head, color in zip(panels, ("covered", "good"), (1, 100), heads, COLORS, strict=False):
        for place, kept in enumerate(found.values()):
            values = scale * np.array(kept[key][-1])
            low, high = interval(values)
            spread = place + np.linspace(-0.16, 0.16, len(values))
            axes.scatter(values, spread, s=14, color=color, alpha=0.45, lw=0)
            axes.plot([low, high], [place, place], color="#333333", lw=2.2, solid_capstyle="butt")
            axes.plot(values.mean(), place, "o", color="#333333", ms=5)
        axes.set_yticks(range(len(found)), list(found))
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_title(head, loc="left", fontsize=11, fontweight="bold", color="#333333")
        tidy(axes)
    panels[0].set_xlim(-0.3, total + 0.5)
    panels[1].set_xlim(-2, 102)
    return rendered(figure)


def as_frame(found, number: int):
    """The first seed's samples of every method, over the law's centers, at one time of training."""
    from matplotlib.figure import Figure

    law = mixture(FLAGS.data)
    lines = -(-len(found) // 5)
    columns = -(-len(found) // lines)
    figure = Figure(figsize=(2.1 * columns, 2.3 * lines + 0.3), dpi=80, layout="constrained")
    cells = figure.subplots(lines, columns, squeeze=False).ravel()
    reach = 1.35 * np.abs(law.centers).max()
    for axes, (name, kept) in zip(cells, found.items(), strict=False):
        points = np.array(kept["samples"][number])
        axes.scatter(*law.centers.T, s=26, facecolors="none", edgecolors="#9aa0a6", lw=0.8)
        axes.scatter(*points.T, s=3, color=COLORS[1], alpha=0.5, lw=0)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
        axes.set_title(name, fontsize=9, color="#333333")
    for axes in cells[len(found) :]:
        axes.set_axis_off()
    steps = next(iter(found.values()))["steps"]
    figure.suptitle(f"{steps[number] / steps[-1]:.0%} of training", fontsize=10, x=0.02, ha="left")
    return rendered(figure)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
