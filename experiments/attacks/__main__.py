"""Attacks and defenses: python -m experiments.attacks --workdir=runs/attacks --out=figures

Trains configs/classifier.py, its variant "adversarial" and a GAN (configs/demo.py:r1) where --workdir has none, attacks
the classifiers with FGSM and PGD, and puts Defense-GAN before the plain one. Writes attacks.json, a table, accuracy
over epsilon, and images. docs/robustness.md has the results.
"""

import json
from pathlib import Path

import numpy as np
from absl import flags

from experiments.gans import output
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.config_files import load
from genjax.errors import InputError

FLAGS = flags.FLAGS

RUNS = {"classifier": "classifier", "adversarial": "classifier:adversarial", "gan": "demo:r1"}
"""Folder in --workdir -> config that is trained there."""


NUMBERS = "count", "defended", "epsilon", "pgd_steps", "restarts", "descent"
"""Flags that are written with the results."""


def define_flags() -> None:
    """The flags of this entry point."""
    output.define_flags()
    define_path("workdir", "runs/attacks", "Folder of the three runs: classifier, adversarial and gan.")
    flags.DEFINE_integer("count", 500, "Number of held-out images that are attacked.", lower_bound=1)
    flags.DEFINE_integer("defended", 100, "Number of them in the table, for Defense-GAN is slow.", lower_bound=1)
    flags.DEFINE_list("epsilons", ["0", "0.02", "0.05", "0.1", "0.2"], "Sizes of the attacks in the figure.")
    flags.DEFINE_float("epsilon", 0.1, "Size of the attacks in the table.", lower_bound=0.0)
    flags.DEFINE_integer("pgd_steps", 40, "Steps of PGD.", lower_bound=1)
    flags.DEFINE_integer("restarts", 10, "Latents from which Defense-GAN descends.", lower_bound=1)
    flags.DEFINE_integer("descent", 200, "Steps of Defense-GAN.", lower_bound=1)
    flags.DEFINE_bool("smoke", False, "Train the smoke variants, to try the study in seconds.")


def main() -> int:
    """Train what is missing, attack, write; the exit code."""
    from experiments.attacks import figure, measure
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.run.loaded import Examples, open_run
    from genjax.run.training import train

    folder, epsilons = output.folder(FLAGS.out), _epsilons()
    enable_compilation_cache()
    for name, config in RUNS.items():
        path = Path(FLAGS.workdir) / name
        text = f"{config.partition(':')[0]}:smoke" if FLAGS.smoke else config
        if not (path / "config.json").exists() and (code := train(load(text), path)):
            return code
    paths = {name: Path(FLAGS.workdir) / name for name in RUNS}
    clothes = Examples("fashion_mnist_10k", "test", count=max(FLAGS.count, FLAGS.defended))
    plain = open_run(paths["classifier"], clothes, needs=("logits",))
    robust = open_run(paths["adversarial"], None, needs=("logits",))
    gan = open_run(paths["gan"], None, needs=("latents", "decode"))
    classifiers = {"no defense": measure.logits_of(plain), "adversarial training": measure.logits_of(robust)}
    x, label = np.float32(plain.examples) / 255, plain.labels
    curves = measure.curves(classifiers, x[: FLAGS.count], label[: FLAGS.count], epsilons, FLAGS.pgd_steps)
    some = slice(FLAGS.defended)
    settings = FLAGS.epsilon, FLAGS.pgd_steps, FLAGS.restarts, FLAGS.descent
    rows, images, defended = measure.table(classifiers, gan, x[some], label[some], *settings)
    numbers = {
        "numbers": measure.Accuracy._fields,
        "curves": curves,
        "table": rows,
        "epsilons": epsilons,
        "steps": [int(run.state.step) for run in (plain, robust, gan)],
        "flags": {name: FLAGS[name].value for name in NUMBERS},
    }
    drawn = {"attacks": figure.accuracies(curves, epsilons), "attacks_images": figure.examples(images, defended)}
    print(as_markdown(rows))
    output.save(folder, ("attacks", json.loads(json.dumps(numbers))), drawn)
    return 0


def _epsilons() -> list[float]:
    """The numbers of --epsilons. Raises: InputError."""
    try:
        epsilons = [float(text) for text in FLAGS.epsilons]
    except ValueError:
        epsilons = []
    if not epsilons or not all(0 <= e <= 1 for e in epsilons):
        raise InputError(f"--epsilons={','.join(FLAGS.epsilons)}: expected numbers from 0 to 1, as in 0,0.05,0.1")
    return epsilons


def as_markdown(rows) -> str:
    """The table: a row per defense, a column per attack, intervals in brackets."""
    from experiments.attacks.measure import ATTACKS

    lines = [f"| Defense | {' | '.join(ATTACKS)} |", "|---|---|---|---|"]
    for name, values in rows.items():
        cells = (f"{a.share:.1%} ({a.low:.0%} to {a.high:.0%})" for a in values)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
