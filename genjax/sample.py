"""Sample from a trained run: python -m genjax.sample --workdir=runs/x --seeds=0-63 --out=grid.png

Only the run's folder is needed, not its data. A seed gives the same example whatever other seeds are asked for.
--out=grid.png writes one image of all seeds, --out=folder/ one PNG per seed, --out=samples.npy the raw array (.npz:
with names). In a run with classes, seed s is of class s % classes, and each class is a row of the grid; --label=Bag
samples one class.
"""

import re
from typing import Any

import numpy as np
from absl.flags import DEFINE_integer, DEFINE_string

from genjax.cli import entry, flags
from genjax.cli.output import Destination
from genjax.errors import InputError, did_you_mean

FLAGS = flags.FLAGS

MAX_SEEDS = 1_000_000
"""Largest number of seeds per call: their examples are held in memory."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    DEFINE_string("seeds", "0-63", "Which examples: '0-63', '3,5,8' or both forms mixed.")
    flags.define_out("grid.png", Destination.HELP)
    flags.define_sampling()
    DEFINE_string("label", "", "Make all samples of this class of the run, a name or a number.")
    DEFINE_integer("columns", None, "Columns of the grid; default: nearly square.", lower_bound=1)


def parse_seeds(text: str) -> np.ndarray:
    """ "0-3,7" -> [0, 1, 2, 3, 7]. Raises: InputError."""
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if not match or int(match[2] or match[1]) < int(match[1]) or int(match[2] or match[1]) >= 2**31:
            raise InputError(f"--seeds={text}: expected numbers and ranges as in 0-63 or 3,5,8")
        part_seeds = range(int(match[1]), int(match[2] or match[1]) + 1)
        if len(seeds) + len(part_seeds) > MAX_SEEDS:
            raise InputError(f"--seeds={text}: at most {MAX_SEEDS:,} at a time")
        seeds.extend(part_seeds)
    return np.array(seeds, np.int32)


def number_of(label: str, names, classes: int) -> int:
    """The number of the class that a label names. Raises: InputError if there is none."""
    if not classes:
        raise InputError(f"--label={label}: the run has no classes")
    if label in names[:classes]:
        return names.index(label)
    if label.isdigit() and int(label) < classes:
        return int(label)
    expected = f"a number below {classes}" + (f", or one of {', '.join(names[:classes])}" if names else "")
    raise InputError(f"--label={label}: no such class{did_you_mean(label, names)}; expected {expected}")


def sample(workdir, seeds, step=None, ema=True, truncation=None, label="") -> np.ndarray:
    """Samples of a trained run, one per seed: uint8 [N, H, W, C], or float32 points [N, D].

    With a `label`, seed s becomes s * classes + the label's number, which is of that class.
    Raises: InputError if there is no such run, checkpoint or label, or the task has no "sample" output.
    """
    from genjax.engine.outputs import apply_in_batches
    from genjax.run.restore import load_info, restore

    task, state = restore(workdir, step)
    flags.check_truncation(truncation, task.outputs)
    if "sample" not in task.outputs:
        raise InputError(f"{workdir} is a run of a task without samples; it has {', '.join(task.outputs) or 'none'}")
    if label:
        seeds = np.asarray(seeds) * task.classes + number_of(label, load_info(workdir)["data"]["labels"], task.classes)
    return apply_in_batches(task.outputs["sample"], state, np.asarray(seeds, np.int32), ema=ema, truncation=truncation)


def legend(seeds) -> dict[str, Any]:
    """Number and names of the classes if each has a row of the grid: when the seeds go through the classes in turn."""
    from genjax.run.restore import load_info

    info = load_info(FLAGS.workdir)
    classes = info["config"].get("classes", 0)
    if not classes or FLAGS.label or (seeds % classes != np.arange(len(seeds)) % classes).any():
        return {}
    return {"classes": classes, "names": info["data"]["labels"]}


def main() -> None:
    """Write the samples that the flags ask for."""
    from genjax.report import gallery

    seeds = parse_seeds(FLAGS.seeds)
    out = Destination.parse(FLAGS.out)
    examples = sample(FLAGS.workdir, seeds, FLAGS.step, FLAGS.ema, FLAGS.truncation, FLAGS.label)
    out.check(examples.ndim == 4)
    names = [f"seed_{seed:06d}" for seed in seeds]
    out.write(examples, names, lambda: gallery.draw(examples, FLAGS.columns, **legend(seeds)))
    print(f"{len(seeds)} samples: {FLAGS.out}")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
