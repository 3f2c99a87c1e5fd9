"""Is a GAN as good as PyTorch's? python -m experiments.gans.against_torch --config=dcgan --seeds=3 --steps=2000

Trains a config with genjax and the same nets with PyTorch: first weights of the same law, the same batches, optimizer
and number of steps. Both are judged by one instrument: the Frechet distance of their samples to the images they were
trained on, by SqueezeNet and, with --classifier=runs/classifier, by a run of configs/classifier.py. Writes a table over
seeds and an image of both libraries' samples to --out. What is finished is not done again, a run of genjax that was
stopped goes on. PyTorch is in the bench extra.
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

from experiments.benchmarks.works import WORKS
from experiments.gans.output import INK
from genjax import data
from genjax.cli import entry
from genjax.config import pick
from genjax.data.source import Source
from genjax.engine.compiler import enable_compilation_cache
from genjax.errors import InputError
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.nets import open_nets
from genjax.evaluation.sources import open_images
from genjax.files import write_bytes
from genjax.metrics.features import FeatureNet
from genjax.report.console import watch
from genjax.report.figures import grid, rendered, save_png
from genjax.sample import sample
from genjax.train import train

FLAGS = flags.FLAGS

CONFIGS = {name: WORKS[name] for name in ("dcgan", "wgan_gp")}
LIBRARIES = {"genjax": "genjax", "torch": "PyTorch"}
SHOWN = 32
"""Samples of each library in the image."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("config", "dcgan", f"What is trained, of {', '.join(CONFIGS)}.")
    flags.DEFINE_integer("seeds", 3, "Runs of each library.", lower_bound=1)
    flags.DEFINE_integer("steps", 2000, "Of the generator.", lower_bound=1)
    flags.DEFINE_string("data", "fashion_mnist", "Gray images of 28x28; fashion_mnist_10k is packaged.")
    flags.DEFINE_string("split", "train", "Of the data, to train on and to be judged against.")
    flags.DEFINE_integer("samples", 10_000, "Of each run.", lower_bound=2)
    flags.DEFINE_string("classifier", "", "A run of configs/classifier.py, as a second judge.")
    flags.DEFINE_string("out", "runs/against_torch", "The folder to write to.")


def main() -> None:
    """Train and judge what is not done yet, then write what all come to."""
    enable_compilation_cache()
    pick(CONFIGS, FLAGS.config, "--config")
    source = data.load(config_of(0).data)
    if source.shape != CONFIGS[FLAGS.config].shape:
        shapes = list(source.shape), list(CONFIGS[FLAGS.config].shape)
        raise InputError("--data={}: its examples are {}, the nets are for {}".format(FLAGS.data, *shapes))
    judges = open_nets(",".join(["squeezenet"] + [f"classifier:{FLAGS.classifier}"] * bool(FLAGS.classifier)), source)
    need_torch([place("torch", seed) for seed in range(FLAGS.seeds)])
    found = {name: [] for name in LIBRARIES}
    for seed in range(FLAGS.seeds):
        for library, results in found.items():
            results.append(result(library, seed, source, judges))
        write(found, judges)
    print((Path(FLAGS.out) / f"{FLAGS.config}.md").read_text())


def need_torch(places: Sequence[Path]) -> None:
    """Refuse to begin what PyTorch has to finish, where it is missing. Raises: InputError."""
    if find_spec("torch") is None and not all(path.with_suffix(".json").exists() for path in places):
        raise InputError('PyTorch is not installed, and it is what is compared with: pip install -e ".[bench]"')


def config_of(seed: int) -> ConfigDict:
    """genjax's config of a seed, as its file has it but for the flags."""
    config = importlib.import_module(f"configs.{FLAGS.config}").get_config()
    steps = FLAGS.steps
    own = {"seed": seed, "steps": steps, "data.name": FLAGS.data, "data.split": FLAGS.split}
    config.update_from_flattened_dict(own | {"sample_every": steps, "keep": 1})
    return config


def place(library: str, seed: int) -> Path:
    """Where a run is kept, and beside it, with suffixes, its samples and what they were found to be."""
    return Path(FLAGS.out) / FLAGS.config / f"{library}-{seed}"


def result(library: str, seed: int, source: Source, judges: Sequence[FeatureNet]) -> dict[str, Any]:
    """What a run came to, which is trained, sampled and judged where it is not.

    Raises: InputError if the folder has the result of another study.
    """
    path = place(library, seed)
    file, samples = path.with_suffix(".json"), path.with_suffix(".npy")
    asked = {"steps": FLAGS.steps, "samples": FLAGS.samples, "data": json.loads(json.dumps(source.describe()))}
    kept = json.loads(file.read_text()) if file.exists() else {"asked": asked, "distances": {}}
    if kept["asked"] != asked:
        raise InputError(f"{file} is of {kept['asked']}, not of {asked}: take another --out")
    if not file.exists():
        buffer = io.BytesIO()
        np.save(buffer, (with_genjax if library == "genjax" else with_torch)(path, seed, source), allow_pickle=False)
        write_bytes(samples, buffer.getvalue())
        write_bytes(file, json.dumps(kept, indent=1).encode())
    for judge in judges:
        if kept["distances"].get(judge.name, {}).get("sha256") != judge.sha256:
            kept["distances"][judge.name] = {"sha256": judge.sha256} | distance(samples, source, judge)
            write_bytes(file, json.dumps(kept, indent=1).encode())
    return kept


def with_genjax(path: Path, seed: int, source: Source) -> np.ndarray:
    """Samples of genjax's run, of the seeds from 0 on; it is trained, or goes on, in its own folder."""
    with contextlib.redirect_stdout(sys.stderr):  # the table alone is the answer
        code = train(config_of(seed), path)
    if code:
        sys.exit(code)
    return sample(path, np.arange(FLAGS.samples))


def with_torch(path: Path, seed: int, source: Source) -> np.ndarray:
    """Samples of PyTorch's generator, of latents drawn from the run's seed."""
    from experiments.gans import in_torch

    work = CONFIGS[FLAGS.config]
    try:
        with watch(f"PyTorch's steps, seed {seed}", FLAGS.steps) as on_progress:
            generator = in_torch.train(work, source, seed, FLAGS.steps, on_progress)
    except ArithmeticError as error:
        entry.fail(str(error), 1)
    return in_torch.sample(generator, work, seed, FLAGS.samples)


def distance(samples: Path, source: Source, judge: FeatureNet) -> dict[str, Any]:
    """The Frechet distance of a file of samples to the data, and how it was had."""
    case = EvalContext(open_images(str(samples)), source, None, [judge], watch=watch)
    (found,) = evaluate(case, ["frechet"], warn=lambda text: print(f"warning: {text}", file=sys.stderr))
    (value,) = found.values.values()
    return {"distance": float(value), "protocol": found.protocol}


def write(found: Mapping[str, Sequence[Mapping]], judges: Sequence[FeatureNet]) -> None:
    """The table of all seeds so far, and the first seed's samples."""
    names = [judge.name for judge in judges]
    values = {name: {of: [r["distances"][name]["distance"] for r in rs] for of, rs in found.items()} for name in names}
    write_bytes(Path(FLAGS.out) / f"{FLAGS.config}.md", as_markdown(values).encode())
    save_png(Path(FLAGS.out) / f"{FLAGS.config}.png", as_figure())


def as_markdown(values: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """For each judge, both libraries' mean and deviation over seeds, their difference and its standard error."""
    lines = [
        "| Fréchet distance | genjax | PyTorch | genjax less PyTorch | genjax, each seed | PyTorch, each seed |",
        "|---|---|---|---|---|---|",
    ]
    for judge, by in values.items():
        ours, theirs = np.array(by["genjax"]), np.array(by["torch"])
        gap, error = ours.mean() - theirs.mean(), np.hypot(deviation(ours), deviation(theirs)) / np.sqrt(len(ours))
        cells = [f"{plain(x.mean(), 4)} ± {plain(deviation(x))}" for x in (ours, theirs)]
        cells += [f"{'+' if gap > 0 else ''}{plain(gap)} ± {plain(error)}"]
        cells += [", ".join(plain(value, 4) for value in x) for x in (ours, theirs)]
        lines.append(f"| {judge} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plain(value: float, digits: int = 2) -> str:
    """So many digits that count, without an exponent."""
    return f"{float(f'{value:.{digits}g}'):,.10g}"


def deviation(values: np.ndarray) -> float:
    """The standard deviation over seeds; NaN of one."""
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def as_figure():
    """Both libraries' first samples of the first seed, side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.9), dpi=130, layout="constrained")
    for axes, (library, title) in zip(figure.subplots(1, 2), LIBRARIES.items(), strict=True):
        samples = np.load(place(library, 0).with_suffix(".npy"), mmap_mode="r")[:SHOWN]
        axes.imshow(grid(samples, 8, scale=3), cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
        axes.set_axis_off()
    return rendered(figure)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
