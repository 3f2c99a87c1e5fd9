"""Find the codes of images: python -m genjax.project --workdir=runs/x --images=mine/ --size=32 --space=w+

A generator's nearest images to given ones, sought by descent in --space: z, or of a StyleGAN w, or w+ (a w for each
layer, which comes nearest). Writes --out, an image: a row each of the given ones, where the search began, and its end;
and beside it the codes and losses as .npz.
"""

import io
from pathlib import Path

from absl import flags

from genjax.cli import entry
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("workdir", None, "The run's folder, as given to genjax.train.", required=True)
    flags.DEFINE_string("images", None, "What to project: a folder, a .npy, or a data set.", required=True)
    flags.DEFINE_string("split", "", "Of a data set, as in 'test[:8]'; default: train.")
    flags.DEFINE_integer("count", 8, "How many, the first ones, at most.", lower_bound=1)
    flags.DEFINE_string("size", "", "Bring images to this size: 64, or 64x48.")
    flags.DEFINE_enum("channels", "0", ["0", "1", "3"], "Bring them to gray (1) or color (3); 0: as found.")
    flags.DEFINE_enum("space", "w+", ["z", "w", "w+"], "Where codes are sought; z is for any generator.")
    flags.DEFINE_integer("steps", 300, "Of descent.", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "Of the noise on w.", lower_bound=0)
    flags.DEFINE_integer("step", None, "The checkpoint's step; default: the newest.", lower_bound=0)
    flags.DEFINE_string("out", "projection.png", "The image; the codes lie beside it.")


def main() -> None:
    """Write the projections that the flags ask for."""
    import numpy as np

    from genjax import files
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.projection import SPACES, project
    from genjax.report import figures
    from genjax.report.console import watch
    from genjax.run.loaded import open_run

    out = Path(FLAGS.out)
    if out.suffix != ".png":
        raise InputError(f"--out={FLAGS.out}: expected a .png")
    enable_compilation_cache()
    given = FLAGS.images, FLAGS.split, FLAGS.size, int(FLAGS.channels), FLAGS.step, None
    run = open_run(FLAGS.workdir, *given, needs=SPACES[FLAGS.space])
    if not run.are_images:
        raise InputError(f"{FLAGS.workdir} is a run of points: only images are projected")
    targets = run.source.read(np.arange(min(FLAGS.count, run.source.size)))
    with watch("projection", FLAGS.steps) as on_progress:
        found = project(run, targets, FLAGS.space, FLAGS.steps, FLAGS.seed, on_progress)
    buffer = io.BytesIO()
    np.savez(buffer, codes=found.codes, losses=found.losses)
    try:
        rows = np.concatenate([targets, found.start, found.images])
        figures.save_png(out, figures.grid(rows, len(targets)), "Given images, where the search began, its end")
        files.write_bytes(out.with_suffix(".npz"), buffer.getvalue())
    except OSError as error:
        raise InputError(f"--out={FLAGS.out} cannot be written: {error.strerror or error}") from error
    first, last = (np.mean(found.losses[i]) for i in (0, -1))
    print(f"distance {first:.3f} -> {last:.3f}\nlook at:", out, out.with_suffix(".npz"), sep="\n  ")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
