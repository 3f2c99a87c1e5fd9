"""Find the latents of images: python -m genjax.project --workdir=runs/x --images=mine/ --size=32 --space=w+

Gradient descent in --space finds the generator's images that are nearest to target images: in z, or for a StyleGAN in
w or w+ (one w per layer, which comes nearest). Writes --out, an image with one row each of the targets, the start and
the end, and a .npz of the same name with the latents (`codes`), the losses and the names of the images' files.
"""

from absl.flags import DEFINE_enum, DEFINE_integer

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS

MAX_IMAGES = 8
"""Default number of images that are projected."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    flags.define_examples("images", count=f"{MAX_IMAGES}, or all if there are fewer", required=True)
    DEFINE_enum("space", "w+", ["z", "w", "w+"], "The space of the latents; z works with any generator.")
    DEFINE_integer("steps", 300, "Number of descent steps.", lower_bound=1)
    DEFINE_integer("seed", 0, "Seed of the noise on w.", lower_bound=0)
    flags.define_out("projection.png", "The image; the latents are written to a .npz of the same name.")


def main() -> None:
    """Write the projections that the flags ask for."""
    import numpy as np

    from genjax.engine.compiler import enable_compilation_cache
    from genjax.projection import SPACES, project
    from genjax.report import figures
    from genjax.report.console import say_notes, watch
    from genjax.run.loaded import open_run

    out = output.file_of(FLAGS.out, ".png")
    output.check_place(f"--out={FLAGS.out}", out.with_suffix(".npz"))
    enable_compilation_cache()
    run = open_run(FLAGS.workdir, flags.examples("images"), FLAGS.step, needs=SPACES[FLAGS.space])
    say_notes(run.source)
    if not run.are_images:
        raise InputError(f"{FLAGS.workdir} is a run of points: only images are projected")
    targets = run.source.read(np.arange(FLAGS.count or min(MAX_IMAGES, run.source.size)))
    with watch("projection", FLAGS.steps) as on_progress:
        projection = project(run, targets, FLAGS.space, FLAGS.steps, FLAGS.seed, on_progress)
    with output.writing(f"--out={FLAGS.out}"):
        rows = np.concatenate([targets, projection.start, projection.images])
        figures.save_png(out, figures.grid(rows, len(targets)), "Targets, images at the start, images at the end")
    codes = {"codes": projection.codes, "losses": projection.losses}
    if run.source.names is not None:
        codes["names"] = np.array(run.source.names[: len(targets)], np.str_)
    output.write_npz(f"--out={FLAGS.out}", out.with_suffix(".npz"), codes)
    first, last = (np.mean(projection.losses[i]) for i in (0, -1))
    print(f"distance {first:.3f} -> {last:.3f}\nlook at:", out, out.with_suffix(".npz"), sep="\n  ")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
