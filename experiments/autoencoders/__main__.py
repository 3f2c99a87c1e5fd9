"""Train every autoencoder of the course: python -m experiments.autoencoders --workdir=runs/autoencoders --seeds=3

Trains on the first 55,000 training images of Fashion-MNIST and evaluates on the last 5,000. Finished runs are skipped,
stopped ones are resumed. Prints the table of docs/autoencoders.md and writes it to table.md; --keras times the same
models in Keras, too; --images runs genjax.show on the first run of each model.
"""

import contextlib
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from absl import flags

from experiments.autoencoders.models import MODELS, TRAIN, VALID
from genjax import tasks
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.engine.compiler import enable_compilation_cache
from genjax.errors import InputError, did_you_mean
from genjax.files import write_bytes
from genjax.run.records import read_evaluations
from genjax.text import table

FLAGS = flags.FLAGS

HEADS = (
    "model",
    "epochs",
    "validation BCE",
    "rounded accuracy",
    "book's BCE",
    "accuracy",
    "ms per step",
    "Keras' ms",
    "times",
)
BCE, ACCURACY = "Reconstruction, binary cross-entropy", "Reconstruction, rounded accuracy"


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("workdir", "runs/autoencoders", "Folder of the runs.")
    flags.DEFINE_list("models", [], f"Some of {', '.join(MODELS)}; default: all.")
    flags.DEFINE_integer("seeds", 3, "Runs per model.", lower_bound=1)
    flags.DEFINE_string("data", "fashion_mnist", "fashion_mnist, or fashion_mnist_10k for a quick look.")
    flags.DEFINE_float("epochs", 1.0, "Factor on the epochs of the table, for a quick look.")
    flags.DEFINE_bool("keras", False, "Time the same models in Keras (the bench extra), alternating with ours.")
    flags.DEFINE_bool("images", False, "Draw images of the first run of each model (t-SNE needs the bench extra).")


def main() -> None:
    """Train, then print the table."""
    enable_compilation_cache()
    names = FLAGS.models or list(MODELS)
    for name in names:
        if name not in MODELS:
            raise InputError(f"--models: no {name!r}{did_you_mean(name, MODELS)}; choose from {', '.join(MODELS)}")
    rows = []
    for name in names:
        rows.append(_row(name))
        write_bytes(Path(FLAGS.workdir) / "table.md", _markdown(rows).encode())
        if FLAGS.images:
            show = [sys.executable, "-m", "genjax.show", f"--workdir={Path(FLAGS.workdir) / name}-0"]
            subprocess.run(show, stdout=sys.stderr, check=True)
    print(table(rows, HEADS))


def config_of(name: str, seed: int):
    """The config of a model as in the table."""
    model = MODELS[name]
    full = FLAGS.data == "fashion_mnist"
    config = importlib.import_module(f"configs.{model.config}").get_config()
    splits = {"data.split": TRAIN, "eval.heldout": VALID} if full else {}
    steps = max(1, round(model.steps(config.batch) * FLAGS.epochs * (1 if full else 10_000 / 55_000)))
    every = {"log_every": max(1, steps // 20), "sample_every": steps, "save_every": max(1, steps // 4)}
    evaluation = {"eval.every": steps, "eval.metrics": "reconstruction", "eval.budget": 1e9}
    run = {"seed": seed, "steps": steps, "keep": 1, "data.name": FLAGS.data}
    config.update_from_flattened_dict(run | every | evaluation | splits | dict(model.overrides))
    return config


def _row(name):
    model = MODELS[name]
    results = []
    for seed in range(FLAGS.seeds):
        path = Path(FLAGS.workdir) / f"{name}-{seed}"
        config = config_of(name, seed)
        total = tasks.build(config, (28, 28, 1)).steps
        values = _result(path, total) or _train(config, path, total)
        results.append((values[BCE], values[ACCURACY]))
    bce, accuracy = (f"{np.mean(v):.4f} ± {np.std(v, ddof=len(v) > 1):.4f}" for v in zip(*results, strict=True))
    ours, keras = _times(model.config) if FLAGS.keras and model.timed else (None, None)
    book = ("" if value is None else f"{value:.4f}" for value in (model.bce, model.accuracy))
    return (model.title, model.epochs, bce, accuracy, *book, ours, keras, keras and keras / ours)


def _result(path, step):
    """The reconstruction metrics of a finished run, or None."""
    rows = [row for row in read_evaluations(path / "metrics.jsonl") if row["step"] == step]
    return next((row["values"] for row in rows if row["evaluation"] == "reconstruction"), None)


def _train(config, path, step):
    from genjax.run.training import train

    with contextlib.redirect_stdout(sys.stderr):  # standard output has the table alone
        code = train(config, path)
    if code:
        sys.exit(code)
    return _result(path, step)


def _times(config):
    """Milliseconds per step, here and in Keras: medians of three alternating runs."""
    rounds = []
    for _ in range(3):
        rounds.append([])
        for module in ("experiments.autoencoders.ours", "experiments.autoencoders.keras_fit"):
            done = subprocess.run(
                [sys.executable, "-m", module, config], capture_output=True, encoding="utf-8", check=False
            )
            if done.returncode:
                print(f"{module} {config}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                return None, None
            rounds[-1].append(1e3 * json.loads(done.stdout.splitlines()[-1])["seconds"])
    return tuple(float(value) for value in np.median(rounds, axis=0))


def _markdown(rows) -> str:
    cells = [[f"{v:.3g}" if isinstance(v, float) else "" if v is None else str(v) for v in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in [HEADS, ["---"] * len(HEADS), *cells]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    define_flags()
    entry.run(main)
