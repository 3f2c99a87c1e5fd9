"""Training squares for style transfer: python -m experiments.style.images --images=photos/,more/ --out=squares

Crops --each squares from every image under the folders, at sizes and places that follow from the image's name, and
resizes them to --size pixels; or, with --textures=N, draws N images of the data set `textures`.
"""

import zlib
from pathlib import Path

import numpy as np
from absl import flags

from genjax.cli import entry
from genjax.cli.flags import define_path, define_paths
from genjax.data.images import SUFFIXES
from genjax.data.textures import draw
from genjax.errors import InputError
from genjax.report.console import watch
from genjax.report.figures import save_png

FLAGS = flags.FLAGS
SMALLEST = 0.35
"""The smallest square as a fraction of an image's shorter side; the largest square is all of it."""


def define_flags() -> None:
    """The flags of this entry point."""
    define_paths("images", [], "Folders of images, with their sub-folders.")
    flags.DEFINE_integer("textures", 0, "The number of textures to draw instead.", lower_bound=0)
    define_path("out", None, "The folder to write PNGs to.", required=True)
    flags.DEFINE_integer("each", 12, "Squares per image.", lower_bound=1)
    flags.DEFINE_integer("size", 256, "Height and width in pixels.", lower_bound=8)


def main() -> None:
    """Write the squares."""
    out = Path(FLAGS.out)
    if bool(FLAGS.images) == bool(FLAGS.textures):
        raise InputError("expected either --images, folders to crop squares from, or --textures, the number to draw")
    if FLAGS.textures:
        with watch("texture", FLAGS.textures) as on_progress:
            for number in range(FLAGS.textures):
                _save(out / f"texture_{number:04}.png", draw(number, FLAGS.size))
                on_progress(number + 1)
        return
    files = [path for folder in FLAGS.images for path in sorted(Path(folder).rglob("*")) if path.suffix in SUFFIXES]
    if not files:
        raise InputError(f"--images={','.join(FLAGS.images)}: no {', '.join(SUFFIXES)} file there")
    with watch("image", len(files)) as on_progress:
        for number, path in enumerate(files):
            for i, square in enumerate(squares(path, FLAGS.each, FLAGS.size)):
                _save(out / f"{number:04}_{path.stem}_{i:02}.png", square)
            on_progress(number + 1)


def squares(path: Path, each: int, size: int):
    """Squares of an image, from SMALLEST of its shorter side to all of it. Yields: uint8 [size, size, 3]."""
    from PIL import Image

    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    with Image.open(path) as image:
        image.draft("RGB", (3 * size, 3 * size))  # decodes large JPEGs at a fraction of their size
        image = image.convert("RGB")
    if min(image.size) > 3 * size:
        image = image.reduce(min(image.size) // (3 * size))
    side = min(image.size)
    for _ in range(each):
        cut = max(min(size, side), side * rng.uniform(SMALLEST, 1))
        left, top = (rng.uniform(0, n - cut) for n in image.size)
        box = (left, top, left + cut, top + cut)
        yield np.asarray(image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0))


def _save(path, pixels):
    from PIL import Image

    save_png(path, Image.fromarray(pixels))


if __name__ == "__main__":
    define_flags()
    entry.run(main)
