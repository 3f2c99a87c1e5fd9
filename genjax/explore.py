"""Play with a run in the browser: python -m genjax.explore --workdir=runs/x

A page of this machine that needs no network: seeds to drag over, classes, truncation, checkpoints, directions, styles.
The flags below say the same: with --out=image.png the image is written and no page is opened. The page shows this
command under each of its images. docs/explore.md has examples.
"""

from absl.flags import DEFINE_bool, DEFINE_enum, DEFINE_integer, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError, need
from genjax.exploration import request as requests

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    DEFINE_string("seeds", "", "Start from a seed, from 2 that are the ends of a path, or from 4 that are corners.")
    DEFINE_string("examples", "", "Start from held-out examples of the run's data in place of seeds, 1, 2 or 4.")
    flags.define_paths("images", [], "Start from files of images in place of seeds: 1, 2 or 4.")
    flags.define_paths(
        "codes", [], "Start from latents of genjax.project: projection.npz, or projection.npz:3 for the fourth image's."
    )
    DEFINE_string(
        "at", "", "The place between 2 starts, 0.5, or across and down between 4, 0.2,0.7; default: the first."
    )
    DEFINE_enum(
        "blend",
        "",
        list(requests.BLENDS),
        "The path between starts: spherical or straight, or straight in w; default: w where there is one, slerp of "
        "seeds, lerp of others.",
    )
    DEFINE_string("label", "", "The class, a name or a number; default: that of the starts.")
    flags.define_sampling()
    flags.define_noise()
    DEFINE_string(
        "moves",
        "",
        "Steps along directions, with commas: z3:1.5 (the latent 3), p0:-2@4-7 (principal direction 0, standard "
        "deviations, in the layers 4 to 7).",
    )
    DEFINE_string("mix", "", "The styles of another seed in some layers: 7@4- (seed 7 from layer 4 on).")
    DEFINE_string("edits", "", "Other codes in the map of a vector-quantized autoencoder, row-column:code: 3-4:17.")
    DEFINE_enum("to", "", ["", *requests.SETS], "Of a translation without pairs, the set whose images are made.")
    flags.define_out("", "Write the image to this .png, or a film to a .gif or .mp4, and open no page.")
    flags.define_path("film", "", "A film's file that the page has saved, a .json of images that it passes.")
    DEFINE_string("host", "127.0.0.1", "The address of the page; 0.0.0.0 lets others in the network open it.")
    DEFINE_integer("port", 8601, "The port of the page.", lower_bound=1, upper_bound=65535)
    DEFINE_bool("open", True, "Open the page in the browser.")
    flags.define_path("uploads", "explored", "The folder where the page keeps images that it was given.")


def request_of_flags() -> requests.Request:
    """The request that the flags say. Raises: InputError."""
    lists = {name: requests.read(name, FLAGS[name].value) for name in requests.EXPECTED}
    paths = {name: requests.read_paths(FLAGS[name].value) for name in ("images", "codes")}
    plain = {name: FLAGS[name].value for name in ("blend", "label", "truncation", "to", "ema", "step")}
    return requests.Request(**lists, **paths, **plain, noise=FLAGS.noise or "")


def main() -> None:
    """Write the image that the flags say, or open the page."""
    request = request_of_flags()
    if FLAGS.film and not FLAGS.out:
        raise InputError(f"--film={FLAGS.film} needs --out: the .gif or .mp4 to write")
    if not FLAGS.out:
        need("nicegui", "the page")
    if FLAGS.out:
        _write(request)
        return
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.exploration.explorer import Explorer
    from genjax.exploration.page.serve import check_port, serve

    check_port(FLAGS.host, FLAGS.port)
    enable_compilation_cache()
    explorer = Explorer(FLAGS.workdir)
    explorer.state(request.step)
    serve(explorer, request, FLAGS.host, FLAGS.port, FLAGS.open, FLAGS.uploads)


def _write(request: requests.Request) -> None:
    """Write the image or the film."""
    from genjax import files
    from genjax.engine.compiler import enable_compilation_cache
    from genjax.exploration.explorer import Explorer
    from genjax.report import display, video

    if FLAGS.film:
        from genjax.exploration import film

        out = output.file_of(FLAGS.out, ".mp4" if FLAGS.out.endswith(".mp4") else ".gif")
        if out.suffix == ".mp4":
            video.need_av()
        stations = film.read(FLAGS.film)
        enable_compilation_cache()
        with output.writing(f"--out={out}"):
            film.save(out, Explorer(FLAGS.workdir), stations)
    else:
        out = output.file_of(FLAGS.out, ".png")
        enable_compilation_cache()
        suffix, content = display.file_of(Explorer(FLAGS.workdir).image(request))
        out = out.with_suffix(suffix)
        with output.writing(f"--out={out}"):
            files.write_bytes(out, content)
    print(f"look at: {out}")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
