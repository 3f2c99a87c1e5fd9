"""Reconstruct examples: python -m genjax.reconstruct --workdir=runs/x --images=folder/ --out=out.png

--out=out.png shows originals over reconstructions, --out=folder/ one PNG per reconstruction, with the name of its
example's file, --out=out.npy the raw array, and --out=out.npz the array `x` with `names`. --corrupt corrupts the
examples first, as training did; the image then has a row of corrupted examples.
"""

from absl.flags import DEFINE_bool, DEFINE_integer

from genjax.cli import entry, flags
from genjax.cli.output import Destination

FLAGS = flags.FLAGS

MAX_SHOWN = 64
"""Default number of examples in one image."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    flags.define_examples("images", count=f"{MAX_SHOWN} in one image, else all")
    DEFINE_bool("corrupt", False, "Corrupt the examples first, as the run's training did.")
    DEFINE_integer("columns", None, "Columns of the image; default: nearly square.", lower_bound=1)
    flags.define_out("out.png", Destination.HELP)


def main() -> None:
    """Write the reconstructions that the flags ask for."""
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.report import reconstructions
    from genjax.report.console import say_notes
    from genjax.run.loaded import open_run, restored

    out = Destination.parse(FLAGS.out)
    enable_compilation_cache()
    needs = ("reconstruct", "corrupt") if FLAGS.corrupt else ("reconstruct",)
    run = open_run(FLAGS.workdir, flags.examples("images"), FLAGS.step, needs=needs)
    say_notes(run.source)
    out.check(run.are_images)
    if out.kind == "png":
        run.count = FLAGS.count or min(run.count, MAX_SHOWN)
    rows = restored(run.task, run.state, run.examples, FLAGS.corrupt)
    title = reconstructions.caption(len(rows))
    out.write(rows[-1], run.names, lambda: reconstructions.draw(*rows, columns=FLAGS.columns), title)
    print(f"{run.count:,} reconstructions: {FLAGS.out}")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
