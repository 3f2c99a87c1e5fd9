"""Style transfer: python -m genjax.stylize --content=photo.jpg --style=painting.jpg --out=x.png

--method=gatys is a gradient descent on the image's pixels, which takes about a minute (docs/style.md; every setting is
a key of configs/style_gatys.py, which genjax.train runs with checkpoints). --method=adain is one pass through a
decoder, the packaged one or one that genjax.train made of configs/style_adain.py; it also takes a folder of images.

With --film the content is a film: a folder of frames in the order of their names, a .gif, .webp or .mp4. Each frame
takes over the last one, moved along the optical flow (pip install opencv-python-headless), so that it does not flicker:

    python -m genjax.stylize --film --content=film.mp4 --style=painting.jpg --out=painted.mp4
"""

import io
import math
import sys
from pathlib import Path

from absl.flags import DEFINE_bool, DEFINE_enum, DEFINE_float, DEFINE_integer, DEFINE_list, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS
SIZES = {"gatys": 256, "adain": 512}


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_path(
        "content", None, "The image to stylize; with --method=adain also a folder of images.", required=True
    )
    flags.define_paths("style", None, "The style: one or more images, separated by commas.", required=True)
    flags.define_out("stylized.png", "The image, or the folder of images, to write.")
    DEFINE_enum("method", "gatys", ["gatys", "adain"], "Gradient descent, or one pass through a decoder.")
    DEFINE_integer(
        "size", None, "Pixels of the longer side; default: 256, with adain 512, with --tile the content's own.", 32
    )
    DEFINE_integer("tile", 0, "Pixels of windows in which a large image is encoded, for less memory; 0: as a whole.")
    DEFINE_integer("overlap", 0, "Pixels that windows share; 0: as far as the nets reach, as if it were whole.")
    DEFINE_list("shares", [], "Weight of each style, as in 0.7,0.3; default: equal.")
    flags.define_paths("masks", [], "One image per style: white where the style goes.")
    DEFINE_enum(
        "color", "", ["", "luma", "match"], "Keep the content's colors: transfer luma alone, or recolor styles."
    )
    flags.define_path("gif", "", "gatys: write the descent as an animation to this file.")
    DEFINE_integer("steps", 150, "gatys: steps, after 100 at half the height and width.", lower_bound=1)
    DEFINE_float("style_weight", 30.0, "gatys: weight of the style loss.", lower_bound=0)
    DEFINE_float("content_weight", 1.0, "gatys: weight of the content loss.", lower_bound=0)
    DEFINE_enum("start", "recolored", ["recolored", "content", "noise"], "gatys: the first image.")
    DEFINE_enum("optimizer", "adam", ["adam", "lbfgs"], "gatys: the optimizer.")
    DEFINE_string("encoder", "squeezenet", "gatys: the net whose feature maps are compared; or vgg:FILE.")
    DEFINE_integer("seed", 0, "gatys: seed of --start=noise.", lower_bound=0)
    DEFINE_float("alpha", 1.0, "adain: strength of the style, from 0, the content, to 1.", 0, 1)
    flags.define_path("workdir", "", "adain: a run of configs/style_adain.py; default: the packaged decoder.")
    DEFINE_bool("film", False, "The content is a film: a folder of frames, or a .gif, .webp or .mp4; so is --out.")
    carried = "film: what a frame takes over: the last one moved along the optical flow; gatys: unmoved; or nothing."
    DEFINE_enum("carry", "warped", ["warped", "last", "none"], carried)
    DEFINE_float("temporal_weight", 100.0, "film, gatys: weight of the difference from the last frame.", lower_bound=0)
    DEFINE_integer("later_steps", None, "film, gatys: steps of each frame after the first; default: 50.", lower_bound=1)
    DEFINE_float("blend", 0.5, "film, adain: share of the last frame that is blended in where it is known.", 0, 1)
    DEFINE_float("fps", 12.0, "film: frames per second of one that does not say.", 0.1, 240)
    DEFINE_bool("compare", False, "film, gatys: also paint each frame alone, for the figures of flicker.")


ONLY = {
    "gatys": (
        *("gif", "steps", "style_weight", "content_weight", "start", "optimizer", "encoder", "seed"),
        *("temporal_weight", "later_steps", "compare"),
    ),
    "adain": ("alpha", "workdir", "blend"),
}
"""Method -> flags that have no meaning for the other one."""

OF_FILMS = ("carry", "temporal_weight", "later_steps", "blend", "fps", "compare")
OF_IMAGES = ("gif",)
"""Flags that have no meaning without --film, or with it."""


def main() -> None:
    """Write the images that the flags ask for."""
    from genjax.data.frames import ENDINGS
    from genjax.engine.compiler import enable_compilation_cache

    for method, names in ONLY.items():
        for name in names:
            if method != FLAGS.method and FLAGS[name].present:
                raise InputError(f"--{name} is for --method={method}, and this is --method={FLAGS.method}")
    for name in OF_IMAGES if FLAGS.film else OF_FILMS:
        if FLAGS[name].present:
            raise InputError(f"--{name} is for {'images, and this is --film' if FLAGS.film else 'films: add --film'}")
    if not FLAGS.film and (FLAGS.content.lower().endswith(".mp4") or FLAGS.out.lower().endswith(ENDINGS)):
        raise InputError(f"--content={FLAGS.content} --out={FLAGS.out}: of a film: add --film; images are a .png")
    enable_compilation_cache()
    shares = _numbers("shares")
    for flag, values in (("shares", shares), ("masks", FLAGS.masks)):
        if values and len(values) != len(FLAGS.style):
            raise InputError(f"--{flag}: expected one for each of {len(FLAGS.style)} styles, got {len(values)}")
    if FLAGS.film:
        written = _film(shares)
    else:
        written = _gatys(shares) if FLAGS.method == "gatys" else _adain(shares)
    print("look at:", *written, sep="\n  ")


def _gatys(shares: list[float]) -> list[Path]:
    """Stylize one image by descent. Returns: the files written."""
    from genjax.report import figures, gif
    from genjax.stylization import descend, gatys_config

    out = output.file_of(FLAGS.out, ".png")
    animation = output.file_of(FLAGS.gif, ".gif", "--gif") if FLAGS.gif else None
    if Path(FLAGS.content).is_dir():
        raise InputError(f"--content={FLAGS.content} is a folder, which --method=adain takes; gatys takes an image")
    c = _with_flags(gatys_config(FLAGS.content, FLAGS.style, _longest()), shares)
    frames = list(descend(c, frames=30 if animation else 1))
    with output.writing(out):
        figures.save_png(out, frames[-1], "Painted by descent")
    if not animation:
        return [out]
    with output.writing(animation):
        gif.save_gif(animation, [_png(frame) for frame in frames])
    return [out, animation]


def _longest() -> int:
    """Pixels of the longer side; OWN for each content's own."""
    from genjax.stylization import OWN

    return FLAGS.size or (OWN if FLAGS.tile else SIZES[FLAGS.method])


def _with_flags(config, shares: list[float]):
    """A config of a descent, with the settings that the flags ask for."""
    config.style.update(shares=tuple(shares), masks=tuple(FLAGS.masks), weight=FLAGS.style_weight)
    config.content.weight = FLAGS.content_weight
    config.optimizer.name = FLAGS.optimizer
    config.update(tile=FLAGS.tile, overlap=FLAGS.overlap)
    config.update(steps=FLAGS.steps, start=FLAGS.start, color=FLAGS.color, encoder=FLAGS.encoder, seed=FLAGS.seed)
    return config


def _film(shares: list[float]) -> list[Path]:
    """Stylize the frames of a film, and print how they flicker. Returns: the film or folder written."""
    from genjax.data.frames import ENDINGS, read_film
    from genjax.film_stylization import flicker, painted
    from genjax.optical_flow import motions, need_opencv
    from genjax.report import video
    from genjax.report.console import watch
    from genjax.stylization import scaled_size
    from genjax.text import table

    out = Path(FLAGS.out)
    if out.suffix.lower() not in ("", *ENDINGS):
        raise InputError(f"--out={out}: of a film, expected a name that ends in {', '.join(ENDINGS)}, or a folder")
    output.check_place(f"--out={out}", out if out.suffix else out / "0.png")
    if out.suffix.lower() == ".mp4":
        video.need_av()
    if FLAGS.carry == "last" and FLAGS.method == "adain":
        raise InputError("--carry=last is for --method=gatys: an unmoved frame blended in leaves a trail")
    if FLAGS.carry == "warped":
        need_opencv()
    longest = _longest()
    frames, fps = read_film(FLAGS.content, lambda size: scaled_size(FLAGS.content, size, longest))
    fps = fps or FLAGS.fps
    print(f"{len(frames):,} frames of {frames.shape[1]}x{frames.shape[2]} pixels", file=sys.stderr)
    paint = (_frames_by_descent if FLAGS.method == "gatys" else _frames_in_one_pass)(frames.shape[1:], shares)
    moved = motions(frames) if FLAGS.carry == "warped" else []
    alone = FLAGS.compare or (FLAGS.method == "adain" and FLAGS.carry != "none")
    films = {}
    with watch("frame", (1 + alone) * len(frames)) as on_progress:
        for name, carry in (("each frame alone", "none"), ("as written", FLAGS.carry))[1 - alone :]:
            films[name] = []
            for image in painted(paint, frames, moved, carry):
                films[name].append(image)
                on_progress(sum(map(len, films.values())))
    _write_film(out, films["as written"], fps)
    rows = [(name, *flicker(film, moved)) for name, film in {"the content": frames, **films}.items()]
    print(table(rows, ("flicker, pixels from 0 to 1", "frame difference", "warping error")))
    return [out]


def _frames_by_descent(shape: tuple[int, ...], shares: list[float]):
    from genjax.film_stylization import Descent
    from genjax.stylization import gatys_config_of

    config = _with_flags(gatys_config_of(*shape[:2], FLAGS.style), shares)
    later_steps = FLAGS.later_steps or min(50, FLAGS.steps)
    return Descent(config, shape, FLAGS.temporal_weight if FLAGS.carry == "warped" else 0.0, later_steps).paint


def _frames_in_one_pass(shape: tuple[int, ...], shares: list[float]):
    from genjax.film_stylization import blending

    return blending(_painter(shares, max(shape[:2])), FLAGS.blend)


def _painter(shares: list[float], size: int):
    from genjax.stylization import Painter

    tiles = {"tile": FLAGS.tile, "overlap": FLAGS.overlap}
    return Painter(FLAGS.workdir, FLAGS.style, shares, FLAGS.masks, FLAGS.color, FLAGS.alpha, size, **tiles)


def _write_film(out: Path, frames: list, fps: float) -> None:
    """Write frames as a film, or into a folder as PNGs with numbers."""
    from PIL import Image

    from genjax.report import figures, film

    images = [Image.fromarray(frame) for frame in frames]
    with output.writing(f"--out={out}"):
        if out.suffix:
            film.save(out, images, len(images) / fps)
        else:
            for number, image in enumerate(images, 1):
                figures.save_png(out / f"{number:05d}.png", image, "A frame of a painted film")


def _adain(shares: list[float]) -> list[Path]:
    """Stylize an image, or each of a folder, in one pass. Returns: the file or folder written."""
    from genjax.report import figures
    from genjax.report.console import watch
    from genjax.stylization import contents_of, size_of
    from genjax.text import bytes_text

    size = _longest()
    content = Path(FLAGS.content)
    out = Path(FLAGS.out) if content.is_dir() else output.file_of(FLAGS.out, ".png")
    if not content.is_dir():
        size = max(size_of(content, size))  # of styles, too
    if content.is_dir():
        if out.suffix:
            raise InputError(f"--out={FLAGS.out}: --content is a folder, so expected a folder, as --out=painted")
        output.check_place(f"--out={FLAGS.out}", out / "0.png")
        names, note = contents_of(content, size)
        if note:
            print(f"note: {FLAGS.content}: {note}", file=sys.stderr)
        targets = (out / f"{name}.png" for name in output.names_of_files(names))
        files = list(zip((content / name for name in names), targets, strict=True))
    else:
        files = [(content, out)]
    painter = _painter(shares, size)
    height, width, needed = painter.memory(files[0][0])
    print(f"{height}x{width} pixels, about {bytes_text(needed)} of memory", file=sys.stderr)
    with watch("image", len(files)) as on_progress:
        for number, (path, target) in enumerate(files, 1):
            image = painter.paint(path)
            with output.writing(target):
                figures.save_png(target, image, "Painted by AdaIN")
            on_progress(number)
    return [out]


def _png(image) -> io.BytesIO:
    data = io.BytesIO()
    image.save(data, "PNG")
    return data


def _numbers(flag: str) -> list[float]:
    try:
        numbers = [float(text) for text in FLAGS[flag].value]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise InputError(f"--{flag}={','.join(FLAGS[flag].value)}: expected numbers with commas, as in 0.7,0.3")
    return numbers


if __name__ == "__main__":
    define_flags()
    entry.run(main)
