"""Reconstruct examples: python -m genjax.reconstruct --workdir=runs/x --images=folder/ --out=out.png

--out=out.png sets originals over reconstructions; --out=folder/ writes a PNG of each reconstruction; --out=out.npy the
raw array. --corrupt first does to the examples what training did, and the image has a row for that.
"""

import io
from pathlib import Path

from absl import flags

from genjax.cli import entry
from genjax.errors import InputError

FLAGS = flags.FLAGS

SHOWN = 64
"""Examples in one image, if --count does not say."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("workdir", None, "The run's folder, as given to genjax.train.", required=True)
    flags.DEFINE_string("images", "", "What to reconstruct: a folder, a .npy, or a data set; default: the run's data.")
    flags.DEFINE_string(
        "split", "", "As in 'test[:100]'; default: what the run was not trained on; of other data, train."
    )
    flags.DEFINE_integer(
        "count", None, f"How many, the first ones; default: {SHOWN} in an image, else all.", lower_bound=1
    )
    flags.DEFINE_string("size", "", "Bring images of folders and data sets to this size: 64, or 64x48.")
    flags.DEFINE_enum("channels", "0", ["0", "1", "3"], "Bring them to gray (1) or color (3); 0: as found.")
    flags.DEFINE_bool("corrupt", False, "Corrupt the examples first, as the run's training did.")
    flags.DEFINE_integer("step", None, "The checkpoint's step; default: the newest.", lower_bound=0)
    flags.DEFINE_integer("columns", None, "Columns of the image; default: nearly square.", lower_bound=1)
    flags.DEFINE_string("out", "out.png", "A .png for one image, a .npy for the array, a folder (ending in /).")


def main() -> None:
    """Write the reconstructions that the flags ask for."""
    import numpy as np

    from genjax import files
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.report import figures, reconstructions
    from genjax.run.loaded import open_run, restored

    out = Path(FLAGS.out)
    folder = FLAGS.out.endswith("/") or out.is_dir()
    if not folder and out.suffix not in (".png", ".npy"):
        raise InputError(f"--out={FLAGS.out}: expected a .png, a .npy or a folder (ending in /)")
    enable_compilation_cache()
    needs = ("reconstruct", "corrupt") if FLAGS.corrupt else ("reconstruct",)
    given = FLAGS.images, FLAGS.split, FLAGS.size, int(FLAGS.channels), FLAGS.step, FLAGS.count
    run = open_run(FLAGS.workdir, *given, needs=needs)
    if folder and not run.are_images:
        raise InputError(f"--out={FLAGS.out}: the data are points, which a .png shows or a .npy holds")
    if out.suffix == ".png" and not folder:
        run.count = FLAGS.count or min(run.count, SHOWN)
    rows = restored(run.task, run.state, run.examples, FLAGS.corrupt)
    try:
        if folder:
            for index, image in enumerate(rows[-1]):
                figures.save_png(out / f"{index:06d}.png", figures.grid(image[None], pad=0, scale=1))
        elif out.suffix == ".npy":
            buffer = io.BytesIO()
            np.save(buffer, rows[-1], allow_pickle=False)
            files.write_bytes(out, buffer.getvalue())
        else:
            image = reconstructions.draw(*rows, columns=FLAGS.columns)
            figures.save_png(out, image, reconstructions.caption(len(rows)))
    except OSError as error:
        raise InputError(f"--out={FLAGS.out} cannot be written: {error.strerror or error}") from error
    print(f"{run.count:,} reconstructions: {FLAGS.out}")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
