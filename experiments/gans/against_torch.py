"""Quality of a GAN against PyTorch: python -m experiments.gans.against_torch --config=dcgan --seeds=3 --steps=2000

Trains a config with genjax and the same nets with PyTorch: initial weights from the same distribution, the same
batches, optimizer and number of steps. Both are evaluated alike: by the Fréchet distance of their samples to the images
they were trained on, on features of SqueezeNet and, with --classifier=runs/classifier, of a run of
configs/classifier.py. Writes a table over seeds and a figure of both libraries' samples to --out. Finished runs are
not repeated, and a run of genjax that was stopped is resumed. PyTorch is in the bench extra.
"""

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from ml_collections import ConfigDict

from experiments.benchmarks.workloads import WORKLOADS
from experiments.gans.output import INK
from genjax import data
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.config import pick
from genjax.data.source import Source
from genjax.engine.compiler import enable_compilation_cache
from genjax.errors import InputError
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.nets import open_feature_nets
from genjax.evaluation.registry import METRICS
from genjax.evaluation.sources import open_images
from genjax.files import write_bytes
from genjax.metrics.features import FeatureNet
from genjax.report.console import watch
from genjax.report.figures import grid, rendered, save_png
from genjax.run.training import train
from genjax.sample import sample

FLAGS = flags.FLAGS

CONFIGS = {name: WORKLOADS[name] for name in ("dcgan", "wgan_gp")}
LIBRARIES = {"genjax": "genjax", "torch": "PyTorch"}
SHOWN = 32
"""Number of samples of each library in the figure."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("config", "dcgan", f"The config to train, of {', '.join(CONFIGS)}.")
    flags.DEFINE_integer("seeds", 3, "Number of runs of each library.", lower_bound=1)
    flags.DEFINE_integer("steps", 2000, "Number of generator steps.", lower_bound=1)
    flags.DEFINE_string("data", "fashion_mnist", "Gray images of 28x28; fashion_mnist_10k is packaged.")
    flags.DEFINE_string("split", "train", "The split to train on, also the reference of the evaluation.")
    flags.DEFINE_integer("samples", 10_000, "Number of samples of each run.", lower_bound=2)
    define_path("classifier", "", "A run of configs/classifier.py, as a second feature net.")
    define_path("out", "runs/against_torch", "Output folder.")


def main() -> None:
    """Train and evaluate the runs that are not done yet, then write the results of all."""
    enable_compilation_cache()
    pick(CONFIGS, FLAGS.config, "--config")
    source = data.load(config_of(0).data)
    if source.shape != CONFIGS[FLAGS.config].shape:
        shapes = list(source.shape), list(CONFIGS[FLAGS.config].shape)
        raise InputError("--data={}: its examples are {}, the nets are for {}".format(FLAGS.data, *shapes))
    features = f"squeezenet,classifier:{FLAGS.classifier}" if FLAGS.classifier else "squeezenet"
    nets = open_feature_nets(features, source)
    need_torch([run_path("torch", seed) for seed in range(FLAGS.seeds)])
    results = {name: [] for name in LIBRARIES}
    for seed in range(FLAGS.seeds):
        for library, of_seeds in results.items():
            of_seeds.append(result(library, seed, source, nets))
        write(results, nets)
    print((Path(FLAGS.out) / f"{FLAGS.config}.md").read_text("utf-8"))


def need_torch(paths: Sequence[Path]) -> None:
    """Check that PyTorch is installed unless all its runs are finished. Raises: InputError."""
    if find_spec("torch") is None and not all(path.with_suffix(".json").exists() for path in paths):
        raise InputError('PyTorch, which genjax is compared with, is not installed: pip install -e ".[bench]"')


def config_of(seed: int) -> ConfigDict:
    """genjax's config with the values of the flags and a seed."""
    config = importlib.import_module(f"configs.{FLAGS.config}").get_config()
    steps = FLAGS.steps
    overrides = {"seed": seed, "steps": steps, "data.name": FLAGS.data, "data.split": FLAGS.split}
    config.update_from_flattened_dict(overrides | {"sample_every": steps, "keep": 1})
    return config


def run_path(library: str, seed: int) -> Path:
    """Folder of a run; with the suffixes .npy and .json, the files of its samples and its results."""
    return Path(FLAGS.out) / FLAGS.config / f"{library}-{seed}"


def result(library: str, seed: int, source: Source, nets: Sequence[FeatureNet]) -> dict[str, Any]:
    """The results of a run, which is trained, sampled and evaluated if that is not done yet.

    Raises: InputError if the file is of another study.
    """
    path = run_path(library, seed)
    file, samples = path.with_suffix(".json"), path.with_suffix(".npy")
    settings = {"steps": FLAGS.steps, "samples": FLAGS.samples, "data": json.loads(json.dumps(source.describe()))}
    results = json.loads(file.read_text("utf-8")) if file.exists() else {"settings": settings, "distances": {}}
    if results["settings"] != settings:
        raise InputError(f"{file} has the settings {results['settings']}, not {settings}: choose another --out")
    if not file.exists():
        buffer = io.BytesIO()
        np.save(buffer, (with_genjax if library == "genjax" else with_torch)(path, seed, source), allow_pickle=False)
        write_bytes(samples, buffer.getvalue())
        write_bytes(file, json.dumps(results, indent=1).encode())
    for net in nets:
        if results["distances"].get(net.name, {}).get("sha256") != net.sha256:
            results["distances"][net.name] = {"sha256": net.sha256} | distance(samples, source, net)
            write_bytes(file, json.dumps(results, indent=1).encode())
    return results


def with_genjax(path: Path, seed: int, source: Source) -> np.ndarray:
    """Train genjax's run in its folder, or resume it; returns its samples of the seeds 0, 1, ..."""
    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the table
        code = train(config_of(seed), path)
    if code:
        sys.exit(code)
    return sample(path, np.arange(FLAGS.samples))


def with_torch(path: Path, seed: int, source: Source) -> np.ndarray:
    """Train PyTorch's nets; returns samples for latents drawn from the run's seed."""
    from experiments.gans import in_torch

    workload = CONFIGS[FLAGS.config]
    try:
        with watch(f"PyTorch's steps, seed {seed}", FLAGS.steps) as on_progress:
            generator = in_torch.train(workload, source, seed, FLAGS.steps, on_progress)
    except ArithmeticError as error:
        entry.fail(str(error), 1)
    return in_torch.sample(generator, workload, seed, FLAGS.samples)


def distance(samples: Path, source: Source, net: FeatureNet) -> dict[str, Any]:
    """The Fréchet distance of a file of samples to the data, with its protocol."""
    context = EvalContext(open_images(str(samples)), source, None, [net], progress=watch)
    (measured,) = evaluate(context, [METRICS["frechet"]], warn=lambda text: print(f"warning: {text}", file=sys.stderr))
    (value,) = measured.values
    return {"distance": value.number, "protocol": measured.protocol}


def write(results: Mapping[str, Sequence[Mapping]], nets: Sequence[FeatureNet]) -> None:
    """Write the table of all seeds so far, and the figure of the first seed's samples."""
    values = {
        net.name: {
            library: [run["distances"][net.name]["distance"] for run in runs] for library, runs in results.items()
        }
        for net in nets
    }
    write_bytes(Path(FLAGS.out) / f"{FLAGS.config}.md", as_markdown(values).encode())
    save_png(Path(FLAGS.out) / f"{FLAGS.config}.png", as_figure())


def as_markdown(values: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Per feature net: both libraries' mean ± standard deviation over seeds, their difference ± its standard error."""
    lines = [
        "| Fréchet distance | genjax | PyTorch | genjax less PyTorch | genjax, each seed | PyTorch, each seed |",
        "|---|---|---|---|---|---|",
    ]
    for net, by_library in values.items():
        ours = np.array(by_library["genjax"])
        theirs = np.array(by_library["torch"])
        gap = ours.mean() - theirs.mean()
        error = np.hypot(std(ours), std(theirs)) / np.sqrt(len(ours))
        cells = [f"{plain(x.mean(), 4)} ± {plain(std(x))}" for x in (ours, theirs)]
        cells += [f"{'+' if gap > 0 else ''}{plain(gap)} ± {plain(error)}"]
        cells += [", ".join(plain(value, 4) for value in x) for x in (ours, theirs)]
        lines.append(f"| {net} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plain(value: float, digits: int = 2) -> str:
    """A number with `digits` significant digits, without an exponent."""
    return f"{float(f'{value:.{digits}g}'):,.10g}"


def std(values: np.ndarray) -> float:
    """Standard deviation over seeds; NaN for a single seed."""
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def as_figure():
    """Both libraries' first samples of the first seed, side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.9), dpi=130, layout="constrained")
    for axes, (library, title) in zip(figure.subplots(1, 2), LIBRARIES.items(), strict=True):
        samples = np.load(run_path(library, 0).with_suffix(".npy"), mmap_mode="r")[:SHOWN]
        axes.imshow(grid(samples, 8, scale=3), cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
        axes.set_axis_off()
    return rendered(figure)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
