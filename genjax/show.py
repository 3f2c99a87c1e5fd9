"""Look at what a run has learned: python -m genjax.show --workdir=runs/x --what=reconstructions,latents --out=folder/

Images, of the held-out examples of the run's own data or of --data: reconstructions; filters of the first layer;
latents on their principal components; tsne, the same by t-SNE (needs scikit-learn); interpolation between latents, or
between latents of a GAN; grid between four; activity of latents; manifold, for latents of two dimensions. Of a
StyleGAN: interpolation_w; styles, a matrix of mixed ones; truncation; noise, and where it shows; directions in w.
"""

from pathlib import Path

from absl.flags import DEFINE_bool, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError, NotApplicable, did_you_mean

FLAGS = flags.FLAGS

MOST = 2000
"""Examples whose latents are looked at, if --count does not say."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    DEFINE_string("what", "all", "'all' that apply, or names with commas: see above.")
    flags.define_out("", "The folder to write to; default: images/ in the run's folder.")
    flags.define_examples("data", count=f"{MOST:,}, or all if there are fewer")
    DEFINE_bool("mp4", False, "Animations as MP4 in all colors, not as GIF: pip install av.")


def parse(text: str, known) -> list[str]:
    """Names of images: "all", or some with commas. Raises: InputError."""
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if name not in known and name != "all":
            there = ", ".join(["all", *known])
            raise InputError(f"--what: no {name!r}{did_you_mean(name, known)}; there is {there}")
    if not names:
        raise InputError(f"--what is empty: expected all, or some of {', '.join(known)}")
    return list(known) if "all" in names else names


def main() -> None:
    """Write the images that the flags ask for."""
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.report import video
    from genjax.run.loaded import open_run
    from genjax.visualize.views import VIEWS

    names = parse(FLAGS.what, VIEWS)
    if FLAGS.mp4:
        video.need_av()
    out = Path(FLAGS.out or Path(FLAGS.workdir) / "images")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out={FLAGS.out} is a file: expected a folder, which is made if need be")
    enable_compilation_cache()
    run = open_run(FLAGS.workdir, flags.examples("data"), FLAGS.step)
    run.count = FLAGS.count or min(run.count, MOST)
    written, without = [], {}
    for name in names:
        try:
            for file, image in VIEWS[name](run):
                path = (out / file).with_suffix(".mp4") if FLAGS.mp4 and file.endswith(".gif") else out / file
                _save(path, image)
                written.append(path)
        except NotApplicable as error:
            if "all" not in FLAGS.what.split(","):
                raise InputError(f"--what={name}: {error}") from error
            without[name] = error
    if written:
        print("look at:", *written, sep="\n  ")
    if without:
        print("not shown:", *(f"{name}: {error}" for name, error in without.items()), sep="\n  ")


def _save(path, image):
    """Write an image or an animation, whole or not at all."""
    from genjax.report import figures, gif, video
    from genjax.visualize.views import Animation

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
