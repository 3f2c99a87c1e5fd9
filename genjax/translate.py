"""Translate images by a trained run: python -m genjax.translate --workdir=runs/x --images=folder/ --out=translated/

The run is of a config of image-to-image translation, such as configs/colorize.py (docs/translation.md). --images is an
image or a folder; each result has the name of its image, in --out, as a PNG. Images may have any size. A run without
pairs, such as of configs/cyclegan.py, has two directions: --to=b, the default, and --to=a.
"""

import sys
from pathlib import Path

from absl.flags import DEFINE_enum, DEFINE_integer

from genjax.cli import entry, flags, output
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.define_run()
    flags.define_path("images", None, "An image, or a folder of images, with those of its sub-folders.", required=True)
    DEFINE_enum("to", None, ["a", "b"], "Of a run without pairs, the set whose images are made; default: b.")
    DEFINE_integer("tile", 0, "Translate large images in squares of as many pixels, for less memory; 0: as a whole.")
    DEFINE_integer("overlap", 0, "Pixels over which tiles fade into each other.")
    flags.define_out("translated", "The folder to write, or for one image a .png.")


def main() -> None:
    """Write the translations that the flags ask for."""
    from PIL import Image

    from genjax.engine.compiler import enable_compilation_cache
    from genjax.report import figures
    from genjax.report.console import watch
    from genjax.translation import Translator

    enable_compilation_cache()
    files = _files()
    translator = Translator(FLAGS.workdir, FLAGS.step, FLAGS.to, FLAGS.tile, FLAGS.overlap)
    for path, _ in files:
        translator.read(path)  # refuses what cannot be used before anything is written
    with watch("image", len(files)) as on_progress:
        for number, (path, target) in enumerate(files, 1):
            y = translator.translate(translator.read(path))
            with output.writing(f"--out={FLAGS.out}"):
                figures.save_png(target, Image.fromarray(y[..., 0] if y.shape[-1] == 1 else y), "Translated")
            on_progress(number)
    print(f"{len(files):,} translations: {FLAGS.out}")


def _files() -> list[tuple[Path, Path]]:
    """The images and the files of their translations. Raises: InputError if one cannot be read or written."""
    from genjax.translation import images_below

    images, out = Path(FLAGS.images), Path(FLAGS.out)
    if images.is_dir():
        if out.suffix:
            raise InputError(f"--out={FLAGS.out}: --images is a folder, so expected a folder, as --out=translated")
        names, note = images_below(images)
        if note:
            print(f"note: {FLAGS.images}: {note}", file=sys.stderr)
    else:
        names, images = [images.name], images.parent
        if out.suffix:
            return [(images / names[0], output.file_of(FLAGS.out, ".png"))]
    output.check_place(f"--out={FLAGS.out}", out / "0.png")
    targets = (out / f"{name}.png" for name in output.names_of_files(names))
    return list(zip((images / name for name in names), targets, strict=True))


if __name__ == "__main__":
    define_flags()
    entry.run(main)
