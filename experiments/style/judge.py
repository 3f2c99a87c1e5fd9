"""Shares of a style and of a content in the images of AdaIN's decoders:

    python -m experiments.style.judge --runs=runs/a,runs/b --contents=photos --styles=paintings --out=runs/judged

Every content is painted in every style by the packaged decoder, by those of the runs and, with --descent, by Gatys'
method. The images are compared on a net's maps, best on those of one that no decoder learned from, --encoder=vgg:FILE:

- **style**, layer by layer: the distance of the result's Gram matrix from the style's, over the content's distance from
  it. 0: the style's statistics; 1: no nearer than the content was. Deeper layers see larger pieces.
- **content**: the correlation of the result's map with the content's at one layer, each channel with a mean of 0 and a
  standard deviation of 1, so that colors count little. 1: the content's map.

Both are medians over the pairs.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags

from genjax.cli import entry
from genjax.cli.flags import define_path, define_paths
from genjax.engine.compiler import enable_compilation_cache
from genjax.losses.style import gram, style_loss
from genjax.ops.moments import with_moments
from genjax.report.console import watch
from genjax.report.figures import rendered, save_png
from genjax.stylization import Painter, contents_of, descend, gatys_config, read_image
from genjax.text import table
from genjax.weights import encoders
from genjax.weights.encoders import Encoder

FLAGS = flags.FLAGS
DESCENT = "descent"


def define_flags() -> None:
    """The flags of this entry point."""
    define_paths("runs", [], "Runs of configs/style_adain.py.")
    define_path("contents", None, "A folder of images to paint.", required=True)
    define_path("styles", None, "A folder of images in whose styles they are painted.", required=True)
    flags.DEFINE_string("encoder", "squeezenet", "The net whose maps are compared: 'squeezenet' or 'vgg:FILE'.")
    flags.DEFINE_integer("size", 256, "Pixels of an image's longer side.", lower_bound=64)
    flags.DEFINE_bool("descent", False, "Paint by descent as well, which takes seconds for each image.")
    define_path("out", "runs/judged", "The folder for the images, one for each content.")


def main() -> None:
    """Write the images and print the table."""
    enable_compilation_cache()
    encoder = encoders.load(FLAGS.encoder)
    contents, styles = (
        [str(Path(folder, name)) for name in contents_of(folder, FLAGS.size)[0]]
        for folder in (FLAGS.contents, FLAGS.styles)
    )
    painters = {run or "packaged": in_one_pass(run, styles) for run in ("", *FLAGS.runs)}
    painters |= {DESCENT: by_descent(styles)} if FLAGS.descent else {}
    measure = jax.jit(lambda *images: judgment(encoder, *images))
    judged = {name: [] for name in painters}
    with watch("content", len(contents)) as on_progress:
        for number, content in enumerate(contents):
            shown = {}
            for name, paint in painters.items():
                shown[name] = list(paint(content))
                judged[name] += [measure(*images) for images in shown[name]]
            _draw(Path(FLAGS.out, f"{number:03}_{Path(content).stem}.png"), shown)
            on_progress(number + 1)
    print(as_text(encoder, judged))


Paint = Callable[[str], Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]]
"""A content's file -> the content, a style and the result, for each style: float32 [1, H, W, 3] from 0 to 255."""


def in_one_pass(run: str, styles: list[str]) -> Paint:
    """The decoder of a run, or the packaged one. Raises: InputError for a folder without such a run."""
    painter = Painter(run, styles, size=FLAGS.size)

    def paint(path):
        content = read_image(path, FLAGS.size)
        for number, style in enumerate(painter.styles):
            painter.shares = np.eye(len(styles))[number]
            yield content[None], style[None], np.clip(painter.painted(content), 0, 255)[None]

    return paint


def by_descent(styles: list[str]) -> Paint:
    """Gatys' method with the defaults of `genjax.stylize`."""

    def paint(path):
        for style in styles:
            *_, image = descend(gatys_config(path, [style], FLAGS.size))
            yield *(read_image(name, FLAGS.size)[None] for name in (path, style)), np.asarray(image, np.float32)[None]

    return paint


def judgment(encoder: Encoder, content, style, result) -> dict:
    """Both measures of one result. Shapes: three of [1, H, W, 3] -> {layer or "content": []}."""
    (layer,) = encoder.gatys_content
    names = (*encoder.gatys_style, layer)
    of_content, of_style, of_result = (encoder.apply(encoder.variables, x, names) for x in (content, style, result))

    def distance(maps, name):
        return style_loss(gram(maps[name]), gram(of_style[name]))

    remaining = {name: distance(of_result, name) / distance(of_content, name) for name in encoder.gatys_style}
    a, b = (with_moments(maps[layer], 0, 1) for maps in (of_content, of_result))
    return remaining | {"content": (a * b).sum() / jnp.sqrt(jnp.square(a).sum() * jnp.square(b).sum())}


def as_text(encoder: Encoder, judged: dict[str, list[dict]]) -> str:
    """The table of medians: a line per decoder."""
    heads = [*(f"style, {name}" for name in encoder.gatys_style), f"content, {encoder.gatys_content[0]}"]
    keys = [*encoder.gatys_style, "content"]
    rows = [
        [name, *(f"{median(float(one[key]) for one in all_of):.3f}" for key in keys)] for name, all_of in judged.items()
    ]
    return table(rows, ["decoder", *heads])


def _draw(path: Path, shown: dict[str, list]) -> None:
    """The results of one content: styles across, below each other the style and every painter's result."""
    from matplotlib.figure import Figure

    rows = [("", [style for _, style, _ in next(iter(shown.values()))])]
    rows += [(name, [result for *_, result in images]) for name, images in shown.items()]
    columns = len(rows[0][1])
    figure = Figure(figsize=(2 * columns, 2 * len(rows)), dpi=100, layout="constrained")
    for line, (name, images) in zip(figure.subplots(len(rows), columns, squeeze=False), rows, strict=True):
        for axes, image in zip(line, images, strict=True):
            axes.axis("off")
            axes.imshow(np.uint8(np.rint(image[0])))
        line[0].set_title(name, fontsize=9, loc="left")
    save_png(path, rendered(figure), "Style transfer")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
