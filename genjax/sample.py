"""Sample from a trained run: python -m genjax.sample --workdir=runs/x --seeds=0-63 --out=grid.png

Only the run's folder is needed, not its data. A seed gives the same example whatever other seeds are asked for.
--out=grid.png writes one image of all seeds, --out=folder/ one PNG per seed, --out=samples.npy the raw array (.npz:
with names). In a run with classes, seed s is of class s % classes, and each class is a row of the grid; --label=Bag
samples one class. A run of sound (data.name=wav:FOLDER or tones) writes one .wav per seed to a folder, one of tokens a
.txt.
"""

import re
from typing import Any

import numpy as np
from absl.flags import DEFINE_integer, DEFINE_string

from genjax.cli import entry, flags
from genjax.cli.output import Destination
from genjax.errors import InputError

FLAGS = flags.FLAGS

MAX_SEEDS = 1_000_000
"""Largest number of seeds per call: their examples are held in memory."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    DEFINE_string("seeds", "0-63", "Which examples: '0-63', '3,5,8' or both forms mixed.")
    flags.define_out("grid.png", Destination.HELP)
    flags.define_sampling()
    flags.define_noise()
    DEFINE_string("label", "", "Make all samples of this class of the run, a name or a number.")
    DEFINE_integer("rate", 16_000, "Samples per second of .wav files, of a run of sound.", lower_bound=1)
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


def sample(workdir, seeds, step=None, ema=True, truncation=None, label="", noise="") -> np.ndarray:
    """Samples of a trained run, one per seed: uint8 [N, H, W, C], or float32 points [N, D]; see `Run.sample`.

    Raises: InputError if there is no such run, checkpoint or label, or the task has no "sample" output.
    """
    from genjax.run.loaded import open_run

    return open_run(workdir, None, step, needs=("sample",)).sample(seeds, label, truncation, ema, noise)


def legend(seeds) -> dict[str, Any]:
    """Number and names of the classes if each has a row of the grid: when the seeds go through the classes in turn."""
    from genjax.run.restore import load_info

    info = load_info(FLAGS.workdir)
    classes = info["config"].get("classes", 0)
    if not classes or FLAGS.label or (seeds % classes != np.arange(len(seeds)) % classes).any():
        return {}
    return {"classes": classes, "names": info["data"]["labels"]}


def is_sound(workdir) -> bool:
    """Whether a run makes sound: whether it was trained on some."""
    from genjax.data.audio import is_sound
    from genjax.run.restore import load_info

    return is_sound(load_info(workdir)["config"]["data"]["name"])


def encode_sound(x) -> tuple[str, bytes]:
    """The ending and contents of a .wav file. Shapes: x float32 [T, 1]."""
    from genjax.data.audio import wav

    return ".wav", wav(x[:, 0], FLAGS.rate)


def encode_tokens(x) -> tuple[str, bytes]:
    """The ending and contents of a file of tokens. Shapes: x float32 [T, 1]."""
    from genjax.report import tokens

    return ".txt", tokens.text(x)


def main() -> None:
    """Write the samples that the flags ask for."""
    from genjax.report import gallery
    from genjax.run.restore import load_info

    seeds = parse_seeds(FLAGS.seeds)
    out = Destination.parse(FLAGS.out)
    how = FLAGS.step, FLAGS.ema, FLAGS.truncation, FLAGS.label, FLAGS.noise or ""
    examples = sample(FLAGS.workdir, seeds, *how)
    vocabulary = load_info(FLAGS.workdir)["config"].get("vocabulary", 0)
    encode = encode_tokens if vocabulary else None
    if examples.ndim == 3 and is_sound(FLAGS.workdir):
        encode = encode_sound
    out.check(examples.ndim == 4 or encode is not None)
    names = [f"seed_{seed:06d}" for seed in seeds]
    out.write(
        examples,
        names,
        lambda: gallery.draw(examples, FLAGS.columns, **legend(seeds), vocabulary=vocabulary),
        encode=encode,
    )
    print(f"{len(seeds)} samples: {FLAGS.out}")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
