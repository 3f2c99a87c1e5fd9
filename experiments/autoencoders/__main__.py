"""Train every autoencoder of the course: python -m experiments.autoencoders --workdir=runs/autoencoders --seeds=3

On the 55,000 first training pictures of Fashion-MNIST, judged by its 5,000 last. What is finished is skipped, what was
stopped goes on. Prints the table of docs/autoencoders.md; --keras times the same models in Keras as well, in turns.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from absl import flags

from experiments.autoencoders.models import MODELS, TRAIN, TUNED, VALID
from genjax import cli, runs
from genjax.errors import InputError, did_you_mean
from genjax.files import read_evaluations, read_metrics, write_bytes
from genjax.report.console import duration, table

FLAGS = flags.FLAGS

BCE, ACCURACY = "Reconstruction, binary cross-entropy", "Reconstruction, rounded accuracy"


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("workdir", "runs/autoencoders", "Where the runs are kept.")
    flags.DEFINE_list("models", [], f"Some of {', '.join(MODELS)}; default: all.")
    flags.DEFINE_integer("seeds", 3, "Runs of each.", lower_bound=1)
    flags.DEFINE_string("data", "fashion_mnist", "fashion_mnist, or fashion_mnist_10k for a quick look.")
    flags.DEFINE_float("epochs", 1.0, "Of those of the table, for a quick look.")
    flags.DEFINE_bool("keras", False, "Time the same models in Keras (the bench extra), in turns with ours.")


def main() -> None:
    """Train, then print the table."""
    runs.enable_compilation_cache()
    names = FLAGS.models or list(MODELS)
    for name in names:
        if name not in MODELS:
            raise InputError(f"--models: no {name!r}{did_you_mean(name, MODELS)}; there is {', '.join(MODELS)}")
    rows = []
    for name in names:
        for tuned in (False, True) if name in TUNED else (False,):
            rows.append(_row(name, TUNED[name] if tuned else {}, tuned))
            print(_table(rows), file=sys.stderr)
    text = _table(rows)
    write_bytes(Path(FLAGS.workdir) / "table.txt", (text + "\n").encode())
    print(text)


def config_of(name: str, seed: int, overrides):
    """The config of a model as the table has it."""
    config = importlib.import_module(f"configs.{name}").get_config()
    model, full = MODELS[name], FLAGS.data == "fashion_mnist"
    splits = {"data.split": TRAIN, "eval.heldout": VALID} if full else {}
    steps = max(1, round(model.steps(config.batch) * FLAGS.epochs * (1 if full else 10_000 / 55_000)))
    quiet = {"log_every": max(1, steps // 20), "sample_every": steps, "save_every": max(1, steps // 4), "keep": 1}
    config.update_from_flattened_dict(
        {"seed": seed, "steps": steps, "data.name": FLAGS.data, "eval.every": steps} | quiet | splits | overrides
    )
    return config


def _row(name, overrides, tuned):
    found, seconds = [], []
    for seed in range(FLAGS.seeds):
        path = Path(FLAGS.workdir) / f"{name}{'-tuned' * tuned}-{seed}"
        config = config_of(name, seed, overrides)
        values = _result(path, config.steps) or _train(config, path)
        found.append((values[BCE], values[ACCURACY]))
        seconds.append(read_metrics(path / "metrics.jsonl")[-1]["seconds"])
    model = MODELS[name]
    bce, accuracy = (f"{np.mean(v):.4f} ± {np.std(v, ddof=len(v) > 1):.4f}" for v in zip(*found, strict=True))
    ratio = _keras_ratio(name) if FLAGS.keras and not tuned else None
    title = model.title + (", tuned: " + ", ".join(f"{k} {v}" for k, v in overrides.items()) if tuned else "")
    return (title, model.epochs, bce, accuracy, model.bce, model.accuracy, duration(float(np.median(seconds))), ratio)


def _result(path, steps):
    """What a finished run was found to be."""
    rows = [row for row in read_evaluations(path / "metrics.jsonl") if row["step"] == steps]
    return next((row["values"] for row in rows if row["evaluation"] == "reconstruction"), None)


def _train(config, path):
    from genjax.train import train

    code = train(config, path)
    if code:
        sys.exit(code)
    return _result(path, config.steps)


def _keras_ratio(name):
    """Keras' time of a step over ours: three turns, medians."""
    turns = []
    for _ in range(3):
        seconds = []
        for module in ("experiments.autoencoders.ours", "experiments.autoencoders.keras_fit"):
            done = subprocess.run([sys.executable, "-m", module, name], capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{module} {name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                return None
            seconds.append(json.loads(done.stdout.splitlines()[-1])["seconds"])
        turns.append(seconds[1] / seconds[0])
    return float(np.median(turns))


def _table(rows) -> str:
    heads = ("model", "epochs", "validation BCE", "rounded accuracy", "book's BCE", "accuracy", "time", "Keras' time")
    return table([(*row[:7], row[7]) for row in rows], heads)


if __name__ == "__main__":
    define_flags()
    cli.run(main)
