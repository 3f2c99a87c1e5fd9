"""Style transfer: python -m genjax.stylize --content=photo.jpg --style=painting.jpg --out=x.png

--method=gatys is a gradient descent on the image's pixels, which takes about a minute (docs/style.md; every setting is
a key of configs/style_gatys.py, which genjax.train runs with checkpoints). --method=adain is one pass through a
decoder, the packaged one or one that genjax.train made of configs/style_adain.py; it also takes a folder of images.
"""

import io
import math
import sys
from pathlib import Path

from absl.flags import DEFINE_enum, DEFINE_float, DEFINE_integer, DEFINE_list, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS
SIZES = {"gatys": 256, "adain": 512}


def define_flags() -> None:
    """The flags of this entry point."""
    DEFINE_string("content", None, "The image to stylize; with --method=adain also a folder of images.", required=True)
    DEFINE_list("style", None, "The style: one or more images, separated by commas.", required=True)
    flags.define_out("stylized.png", "The image, or the folder of images, to write.")
    DEFINE_enum("method", "gatys", ["gatys", "adain"], "Gradient descent, or one pass through a decoder.")
    DEFINE_integer("size", None, "Pixels of the longer side; default: 256, with adain 512.", lower_bound=32)
    DEFINE_list("shares", [], "Weight of each style, as in 0.7,0.3; default: equal.")
    DEFINE_list("masks", [], "One image per style: white where the style goes.")
    DEFINE_enum(
        "color", "", ["", "luma", "match"], "Keep the content's colors: transfer luma alone, or recolor styles."
    )
    DEFINE_string("gif", "", "gatys: write the descent as an animation to this file.")
    DEFINE_integer("steps", 150, "gatys: steps, after 100 at half the height and width.", lower_bound=1)
    DEFINE_float("style_weight", 30.0, "gatys: weight of the style loss.", lower_bound=0)
    DEFINE_float("content_weight", 1.0, "gatys: weight of the content loss.", lower_bound=0)
    DEFINE_enum("start", "recolored", ["recolored", "content", "noise"], "gatys: the first image.")
    DEFINE_enum("optimizer", "adam", ["adam", "lbfgs"], "gatys: the optimizer.")
    DEFINE_string("encoder", "squeezenet", "gatys: the net whose feature maps are compared; or vgg:FILE.")
    DEFINE_integer("seed", 0, "gatys: seed of --start=noise.", lower_bound=0)
    DEFINE_float("alpha", 1.0, "adain: strength of the style, from 0, the content, to 1.", 0, 1)
    DEFINE_string("workdir", "", "adain: a run of configs/style_adain.py; default: the packaged decoder.")


ONLY = {
    "gatys": ("gif", "steps", "style_weight", "content_weight", "start", "optimizer", "encoder", "seed"),
    "adain": ("alpha", "workdir"),
}
"""Method -> flags that have no meaning for the other one."""


def main() -> None:
    """Write the images that the flags ask for."""
    from genjax.engine.compiler import enable_compilation_cache

    for method, names in ONLY.items():
        for name in names:
            if method != FLAGS.method and FLAGS[name].present:
                raise InputError(f"--{name} is for --method={method}, and this is --method={FLAGS.method}")
    enable_compilation_cache()
    shares = _numbers("shares")
    for flag, values in (("shares", shares), ("masks", FLAGS.masks)):
        if values and len(values) != len(FLAGS.style):
            raise InputError(f"--{flag}: expected one for each of {len(FLAGS.style)} styles, got {len(values)}")
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
    c = gatys_config(FLAGS.content, FLAGS.style, FLAGS.size or SIZES["gatys"])
    c.style.update(shares=tuple(shares), masks=tuple(FLAGS.masks), weight=FLAGS.style_weight)
    c.content.weight = FLAGS.content_weight
    c.optimizer.name = FLAGS.optimizer
    c.update(steps=FLAGS.steps, start=FLAGS.start, color=FLAGS.color, encoder=FLAGS.encoder, seed=FLAGS.seed)
    frames = list(descend(c, frames=30 if animation else 1))
    with output.writing(out):
        figures.save_png(out, frames[-1], "Painted by descent")
    if not animation:
        return [out]
    with output.writing(animation):
        gif.save_gif(animation, [_png(frame) for frame in frames])
    return [out, animation]


def _adain(shares: list[float]) -> list[Path]:
    """Stylize an image, or each of a folder, in one pass. Returns: the file or folder written."""
    from genjax.report import figures
    from genjax.report.console import watch
    from genjax.stylization import Painter, contents_of
    from genjax.text import bytes_text

    size = FLAGS.size or SIZES["adain"]
    content = Path(FLAGS.content)
    out = Path(FLAGS.out) if content.is_dir() else output.file_of(FLAGS.out, ".png")
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
    painter = Painter(FLAGS.workdir, FLAGS.style, shares, FLAGS.masks, FLAGS.color, FLAGS.alpha, size)
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
