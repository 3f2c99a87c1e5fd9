"""Show what a run has learned: python -m genjax.show --workdir=runs/x --what=reconstructions,latents --out=folder/

Writes images of the held-out examples of the run's own data, or of --data.
"""

from pathlib import Path

from absl.flags import DEFINE_bool, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError, NotApplicable

FLAGS = flags.FLAGS

MAX_EXAMPLES = 2000
"""Default number of examples, unless --count is given."""


def define_flags() -> None:
    """The flags of this entry point."""
    from genjax.visualize import registry

    flags.define_run()
    DEFINE_string("what", "all", f"'all' that apply, or names with commas:\n{registry.help_text()}")
    flags.define_out("", "The folder to write to; default: images/ in the run's folder.")
    flags.define_examples("data", count=f"{MAX_EXAMPLES:,}, or all if there are fewer")
    DEFINE_bool("mp4", False, "Animations as MP4 in all colors, not as GIF: pip install av.")


def main() -> None:
    """Write the images that the flags ask for."""
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.report import video
    from genjax.report.console import say_notes
    from genjax.run.loaded import open_run
    from genjax.visualize import registry

    views = registry.parse(FLAGS.what)
    if FLAGS.mp4:
        video.need_av()
    out = Path(FLAGS.out or Path(FLAGS.workdir) / "images")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out={FLAGS.out} is a file: expected a folder, which is made if need be")
    output.check_place(out, out / "0.png")
    enable_compilation_cache()
    run = open_run(FLAGS.workdir, flags.examples("data"), FLAGS.step)
    say_notes(run.source)
    run.count = FLAGS.count or min(run.count, MAX_EXAMPLES)
    written = []
    skipped = {}
    for name, view in views.items():
        try:
            for file, image in view(run):
                path = (out / file).with_suffix(".mp4") if FLAGS.mp4 and file.endswith(".gif") else out / file
                _save(path, image)
                written.append(path)
        except NotApplicable as error:
            if "all" not in FLAGS.what.split(","):
                raise InputError(f"--what={name}: {error}") from error
            skipped[name] = error
    if written:
        print("look at:", *written, sep="\n  ")
    if skipped:
        print("not shown:", *(f"{name}: {error}" for name, error in skipped.items()), sep="\n  ")


def _save(path, image):
    """Write an image or an animation, completely or not at all."""
    from genjax.report import figures, gif, video
    from genjax.visualize.view import Animation

    with output.writing(path):
        if path.suffix == ".mp4":
            video.save_mp4(path, image.frames, image.seconds)
        elif isinstance(image, Animation):
            gif.save_gif(path, image.frames, image.seconds, hold=0)
        else:
            figures.save_png(path, image)


if __name__ == "__main__":
    define_flags()
    entry.run(main)
