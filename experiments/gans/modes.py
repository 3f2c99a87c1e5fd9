"""Modes covered by GANs during training: python -m experiments.gans.modes --data=grid25 --out=runs/modes

Trains each method of METHODS from several seeds on a mixture of Gaussians in the plane, and counts modes as PacGAN
does (arXiv:1712.04086, section 4.1): of 2,500 samples, those within three standard deviations of a mode are good.
Writes a table, the counts of every seed as JSON and CSV, a figure, and an animation of the first seed. Methods whose
JSON file exists are not trained again.
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

from experiments.gans import vmapped_seeds
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.data.synthetic import mixture
from genjax.engine.compiler import enable_compilation_cache
from genjax.errors import InputError, did_you_mean
from genjax.files import write_bytes
from genjax.metrics.modes import count_modes
from genjax.report.figures import COLORS, rendered, save_png, tidy
from genjax.report.gif import save_gif
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
    "R1": {"penalty.r1": 0.02},
    "all modes": {
        "penalty.r1": 0.02,
        "batch": 256,
        "ema.half_life": 200_000.0,
        "optimizer.generator.learning_rate": 4e-3,
        "optimizer.critic.learning_rate": 4e-3,
        "generator.widths": (128, 128, 128),
        "critic.widths": (128, 128, 128),
    },
}
"""Changes to the plain GAN, by method. The last one was tuned to cover all modes of both mixtures."""

LONGER = {"all modes": 4}
"""Methods that train longer: factor of their number of steps."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_enum("data", "grid25", ["ring8", "grid25"], "The mixture.")
    flags.DEFINE_list("methods", [], f"Methods to train, of {', '.join(METHODS)}; default: all.")
    flags.DEFINE_integer("seeds", 10, "Number of seeds of each method, at least 2.", lower_bound=2)
    flags.DEFINE_integer("steps", 10_000, "Number of generator steps.", lower_bound=1)
    define_path("out", "runs/modes", "Output folder.")


def main() -> None:
    """Train the methods that are not done yet, then write the results of all."""
    enable_compilation_cache()
    for name in FLAGS.methods:
        if name not in METHODS:
            raise InputError(
                f"--methods: no {name!r}{did_you_mean(name, METHODS)}; choose from {', '.join(map(repr, METHODS))}"
            )
    folder = Path(FLAGS.out)
    results = {}
    for name in FLAGS.methods or METHODS:
        results[name] = result(folder, name)
        write_numbers(folder, results)
    write_images(folder, results)
    print((folder / f"{FLAGS.data}.md").read_text("utf-8"))


def config_of(method: str, data: str, steps: int):
    """A method's config: two hidden layers of 128 in both nets, batch 128, Adam 1e-3 (0.5, 0.999) decaying to zero."""
    steps *= LONGER.get(method, 1)
    c = gan.config()
    c.steps, c.batch, c.latent, c.data.name = steps, 128, 2, data
    c.generator = {"net": "mlp", "widths": (128, 128), "activation": "relu", "output": "linear"}
    remedies = {"spectral": False, "minibatch": "", "minibatch_kernels": 8}  # keys that a method may override
    c.critic = {"net": "mlp", "widths": (128, 128), "activation": "relu"} | remedies
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=1e-3, decay=steps)
    c.update_from_flattened_dict(METHODS[method])
    return c


def result(folder: Path, method: str) -> dict[str, Any]:
    """Counts during training of every seed, and the first seed's samples; trains the method if its file is missing.

    Raises: InputError if the file is of another study.
    """
    settings = {"data": FLAGS.data, "seeds": FLAGS.seeds, "steps": FLAGS.steps, "overrides": dict(METHODS[method])}
    settings = json.loads(json.dumps(settings))  # tuples as lists
    path = folder / FLAGS.data / f"{method.replace(' ', '_')}.json"
    if path.exists():
        counts = json.loads(path.read_text("utf-8"))
        if counts["settings"] != settings:
            raise InputError(f"{path} has the settings {counts['settings']}, not {settings}: choose another --out")
        return counts
    gaussians = mixture(FLAGS.data)
    counts = {"settings": settings, "steps": [], "covered": [], "good": [], "kl": [], "samples": []}
    config, sample = config_of(method, FLAGS.data, FLAGS.steps), None
    for step, task, states, _ in vmapped_seeds.train(config, FLAGS.seeds, -(-config.steps // FRAMES)):
        sample = sample or jax.jit(jax.vmap(partial(task.outputs["sample"], seeds=np.arange(SAMPLES))))
        x = sample(states)
        by_seed = [count_modes(points, gaussians.centers, gaussians.std) for points in np.asarray(x)]
        for key, name in (("covered", "covered"), ("good", "high_quality"), ("kl", "kl")):
            counts[key].append([float(getattr(count, name)) for count in by_seed])
        counts["steps"].append(step)
        counts["samples"].append(np.round(np.asarray(x[0, :500]), 3).tolist())
    write_bytes(path, json.dumps(counts).encode())
    print(f"{method}: {np.mean(counts['covered'][-1]):.1f} modes, {np.mean(counts['good'][-1]):.1%} good", flush=True)
    return counts


def interval(values) -> tuple[float, float]:
    """95% bootstrap interval of the mean over seeds (percentiles of 10,000 resamples, seed 0)."""
    if np.ptp(values) == 0:
        return values[0], values[0]
    options = {"method": "percentile", "n_resamples": 10_000, "rng": np.random.default_rng(0)}
    bounds = stats.bootstrap((np.asarray(values),), np.mean, **options).confidence_interval
    return bounds.low, bounds.high


def write_numbers(folder: Path, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the table of all methods so far, and the counts of every seed as CSV."""
    write_bytes(folder / f"{FLAGS.data}.md", as_markdown(results).encode())
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["method", "seed", "step", "modes", "good", "kl"])
    for name, counts in results.items():
        for step, *by_seed in zip(counts["steps"], counts["covered"], counts["good"], counts["kl"], strict=True):
            rows.writerows([name, seed, step, *values] for seed, values in enumerate(zip(*by_seed, strict=True)))
    write_bytes(folder / f"{FLAGS.data}.csv", text.getvalue().encode())


def write_images(folder: Path, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the figure, the last samples and the animation."""
    save_png(folder / f"{FLAGS.data}.png", as_figure(results))
    frames = []
    for number in range(len(next(iter(results.values()))["steps"])):
        frames.append(io.BytesIO())
        as_frame(results, number).save(frames[-1], "PNG")
    save_gif(folder / f"{FLAGS.data}.gif", frames)
    save_png(folder / f"{FLAGS.data}_samples.png", as_frame(results, -1))


def as_markdown(results) -> str:
    """Means over seeds after training, with their intervals, and the number of seeds with all modes."""
    total = len(mixture(FLAGS.data).centers)
    lines = ["| Method | Modes | Good samples | KL, nats | Seeds with all modes |", "|---|---|---|---|---|"]
    for name, counts in results.items():
        covered, good, kl = (counts[key][-1] for key in ("covered", "good", "kl"))
        cells = ["{:.1f} ({:.1f} to {:.1f})".format(np.mean(covered), *interval(covered))]
        cells.append("{:.1%} ({:.1%} to {:.1%})".format(np.mean(good), *interval(good)))
        cells += [f"{np.mean(kl):.2f}", f"{sum(c == total for c in covered)} of {len(covered)}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def as_figure(results):
    """Modes and good samples after training: one dot per seed, and the interval of the mean."""
    from matplotlib.figure import Figure

    total = len(mixture(FLAGS.data).centers)
    figure = Figure(figsize=(10, 0.9 + 0.36 * len(results)), dpi=130, layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    titles = f"modes of {total} with a good sample", "good samples, %"
    for axes, key, scale, title, color in zip(panels, ("covered", "good"), (1, 100), titles, COLORS, strict=False):
        for place, counts in enumerate(results.values()):
            values = scale * np.array(counts[key][-1])
            low, high = interval(values)
            spread = place + np.linspace(-0.16, 0.16, len(values))
            axes.scatter(values, spread, s=14, color=color, alpha=0.45, lw=0)
            axes.plot([low, high], [place, place], color="#333333", lw=2.2, solid_capstyle="butt")
            axes.plot(values.mean(), place, "o", color="#333333", ms=5)
        axes.set_yticks(range(len(results)), list(results))
        axes.set_ylim(len(results) - 0.5, -0.5)
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color="#333333")
        tidy(axes)
    panels[0].set_xlim(-0.3, total + 0.5)
    panels[1].set_xlim(-2, 102)
    return rendered(figure)


def as_frame(results, number: int):
    """The first seed's samples of every method, over the centers of the mixture, at one time of training."""
    from matplotlib.figure import Figure

    centers = mixture(FLAGS.data).centers
    lines = -(-len(results) // 5)
    columns = -(-len(results) // lines)
    figure = Figure(figsize=(2.1 * columns, 2.3 * lines + 0.3), dpi=80, layout="constrained")
    cells = figure.subplots(lines, columns, squeeze=False).ravel()
    reach = 1.35 * np.abs(centers).max()
    for axes, (name, counts) in zip(cells, results.items(), strict=False):
        points = np.array(counts["samples"][number])
        axes.scatter(*centers.T, s=26, facecolors="none", edgecolors="#9aa0a6", lw=0.8)
        axes.scatter(*points.T, s=3, color=COLORS[1], alpha=0.5, lw=0)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
        axes.set_title(name, fontsize=9, color="#333333")
    for axes in cells[len(results) :]:
        axes.set_axis_off()
    steps = next(iter(results.values()))["steps"]
    figure.suptitle(f"{steps[number] / steps[-1]:.0%} of training", fontsize=10, x=0.02, ha="left")
    return rendered(figure)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
