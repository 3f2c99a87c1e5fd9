"""An image in the manner of another: python -m genjax.stylize --content=photo.jpg --style=painting.jpg --out=x.png

--method=gatys descends on the image's pixels for a minute (docs/style.md; every setting is a key of
configs/style_gatys.py, which genjax.train runs with checkpoints). --method=adain paints at once, a folder of images
as well, with the packaged decoder or one that genjax.train made of configs/style_adain.py.
"""

import io
import sys
from pathlib import Path

from absl.flags import DEFINE_enum, DEFINE_float, DEFINE_integer, DEFINE_list, DEFINE_string

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS
SIZES = {"gatys": 256, "adain": 512}


def define_flags() -> None:
    """The flags of this entry point."""
    DEFINE_string("content", None, "What to paint: an image; with --method=adain a folder as well.", required=True)
    DEFINE_list("style", None, "In whose manner: one image or more, with commas.", required=True)
    flags.define_out("stylized.png", "The image, or the folder of images, to write.")
    DEFINE_enum("method", "gatys", ["gatys", "adain"], "By descent, or at once.")
    DEFINE_integer("size", None, "Of the longer side, in pixels; default: 256, with adain 512.", lower_bound=32)
    DEFINE_list("shares", [], "Of each style, as in 0.7,0.3; default: all alike.")
    DEFINE_list("masks", [], "Images, one a style: white where it goes.")
    DEFINE_enum("color", "", ["", "luma", "match"], "The content's colors: transfer light alone; recolor styles.")
    DEFINE_string("gif", "", "gatys: write the descent as an animation to this file.")
    DEFINE_integer("steps", 150, "gatys: of descent, after 100 with half the pixels a side.", lower_bound=1)
    DEFINE_float("style_weight", 30.0, "gatys: how much style counts beside content.", lower_bound=0)
    DEFINE_float("content_weight", 1.0, "gatys: how much content counts.", lower_bound=0)
    DEFINE_enum("start", "recolored", ["recolored", "content", "noise"], "gatys: what it begins with.")
    DEFINE_enum("optimizer", "adam", ["adam", "lbfgs"], "gatys: how it descends.")
    DEFINE_string("encoder", "squeezenet", "gatys: the net that looks; or vgg:FILE.")
    DEFINE_integer("seed", 0, "gatys: of the noise that it begins with.", lower_bound=0)
    DEFINE_float("alpha", 1.0, "adain: from 0, the content, to 1, all of the style.", 0, 1)
    DEFINE_string("workdir", "", "adain: a run of configs/style_adain.py; default: the packaged decoder.")


ONLY = {
    "gatys": ("gif", "steps", "style_weight", "content_weight", "start", "optimizer", "encoder", "seed"),
    "adain": ("alpha", "workdir"),
}
"""Flags that mean nothing to the other method."""


def main() -> None:
    """Write what the flags ask for."""
    from genjax.engine.compiler import enable_compilation_cache

    for method, names in ONLY.items():
        for name in names:
            if method != FLAGS.method and FLAGS[name].present:
                raise InputError(f"--{name} is for --method={method}, and this is --method={FLAGS.method}")
    enable_compilation_cache()
    shares = _numbers("shares")
    for what, given in (("shares", shares), ("masks", FLAGS.masks)):
        if given and len(given) != len(FLAGS.style):
            raise InputError(f"--{what}: expected one for each of {len(FLAGS.style)} styles, got {len(given)}")
    written = _gatys(shares) if FLAGS.method == "gatys" else _adain(shares)
    print("look at:", *written, sep="\n  ")


def _gatys(shares):
    from genjax.report import figures, gif
    from genjax.stylization import descend, gatys_config

    out = output.file_of(FLAGS.out, ".png")
    if FLAGS.gif:
        output.file_of(FLAGS.gif, ".gif", "--gif")
    if Path(FLAGS.content).is_dir():
        raise InputError(f"--content={FLAGS.content} is a folder, which --method=adain takes; gatys takes an image")
    c = gatys_config(FLAGS.content, FLAGS.style, FLAGS.size or SIZES["gatys"])
    c.style.update(shares=tuple(shares), masks=tuple(FLAGS.masks), weight=FLAGS.style_weight)
    c.content.weight, c.optimizer.name = FLAGS.content_weight, FLAGS.optimizer
    c.update(steps=FLAGS.steps, start=FLAGS.start, color=FLAGS.color, encoder=FLAGS.encoder, seed=FLAGS.seed)
    frames = list(descend(c, frames=30 if FLAGS.gif else 1))
    with output.writing(out):
        figures.save_png(out, frames[-1], "Painted by descent")
    if FLAGS.gif:
        with output.writing(FLAGS.gif):
            gif.save_gif(FLAGS.gif, [_file(frame) for frame in frames])
    return [out, *[FLAGS.gif] * bool(FLAGS.gif)]


def _adain(shares):
    from genjax.report import figures
    from genjax.report.console import watch
    from genjax.stylization import Painter, files_of
    from genjax.text import bytes_text

    folder = Path(FLAGS.content).is_dir()
    contents = files_of(FLAGS.content)
    out = Path(FLAGS.out) if folder else output.file_of(FLAGS.out, ".png")
    if folder and out.suffix:
        raise InputError(f"--out={FLAGS.out}: --content is a folder, so expected a folder, as --out=painted")
    painter = Painter(
        FLAGS.workdir, FLAGS.style, shares, FLAGS.masks, FLAGS.color, FLAGS.alpha, FLAGS.size or SIZES["adain"]
    )
    height, width, needed = painter.memory(contents[0])
    print(f"{height}x{width} pixels, about {bytes_text(needed)} of memory", file=sys.stderr)
    written = []
    with watch("image", len(contents)) as on_progress:
        for number, path in enumerate(contents):
            x = painter.paint(path)
            target = out / f"{path.stem}.png" if folder else out
            with output.writing(target):
                figures.save_png(target, x, "Painted by AdaIN")
            written.append(target)
            on_progress(number + 1)
    return [out] if folder else written


def _file(image):
    data = io.BytesIO()
    image.save(data, "PNG")
    return data


def _numbers(flag):
    try:
        return [float(text) for text in FLAGS[flag].value]
    except ValueError:
        raise InputError(
            f"--{flag}={','.join(FLAGS[flag].value)}: expected numbers with commas, as in 0.7,0.3"
        ) from None


if __name__ == "__main__":
    define_flags()
    entry.run(main)
