"""The figures of docs/style.md: python -m experiments.style.figures --out=runs/style

Contents in styles, by descent and in one pass, and the effects of weights, layers and the net's training.
"""

from pathlib import Path

from absl import flags

from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.config import pick
from genjax.engine.compiler import enable_compilation_cache
from genjax.report.figures import rendered, save_png
from genjax.stylization import Painter, descend, gatys_config

FLAGS = flags.FLAGS
IMAGES = Path("docs/images/style")
CONTENTS = ("cat", "bridge", "coffee")
PAINTING = "starry_night"
STYLES = ("strokes", "glass", "woodcut", "dots", "planes", "marble")
PARTS = ("gatys", "painting", "adain", "ablation")
LAYERS = {
    "conv1": {"style.layers": ("conv1",)},
    "fire2": {"style.layers": ("fire2",)},
    "fire4": {"style.layers": ("fire4",)},
    "fire6": {"style.layers": ("fire6",)},
    "fire8": {"style.layers": ("fire8",)},
}
CONTENT_LAYERS = {name: {"content.layers": (name,)} for name in ("fire2", "fire3", "fire4", "fire5", "fire8")}
WEIGHTS = {f"style weight {weight:g}": {"style.weight": weight} for weight in (0.3, 3.0, 30.0, 300.0, 3000.0)}
NETS = {
    "trained, 30": {},
    "random, 30": {"encoder": "random"},
    "random, 3,000": {"encoder": "random", "style.weight": 3000.0},
    "from noise": {"start": "noise"},
    "luma alone": {"color": "luma"},
}


def define_flags() -> None:
    """The flags of this entry point."""
    define_path("out", "runs/style", "The folder to write to.")
    flags.DEFINE_integer("size", 224, "Pixels of an image's longer side.", lower_bound=64)
    flags.DEFINE_list("only", [], f"One or more of {', '.join(PARTS)}; default: all.")


def main() -> None:
    """Write the figures."""
    from PIL import Image

    enable_compilation_cache()
    out = Path(FLAGS.out)
    only = FLAGS.only or PARTS
    for part in only:
        pick(PARTS, part, "--only")
    if "gatys" in only:
        _table(out / "style_gatys.png", CONTENTS[:2], STYLES, painted)
    if "painting" in only:
        row = [("the painting", Image.open(IMAGES / f"{PAINTING}.jpg")), *((c, painted(c, PAINTING)) for c in CONTENTS)]
        _draw(out / "style_painting.png", [row], [""], 2.6)
    if "adain" in only:
        painters = {s: Painter("", [str(IMAGES / f"{s}.jpg")], size=FLAGS.size) for s in STYLES}
        _table(out / "style_adain.png", CONTENTS, STYLES, lambda c, s: painters[s].paint(IMAGES / f"{c}.jpg"))
    if "ablation" in only:
        rows = [
            [(name, painted("cat", "glass", **overrides)) for name, overrides in row.items()]
            for row in (WEIGHTS, LAYERS, CONTENT_LAYERS, NETS)
        ]
        titles = ("weights", "style of one layer", "content of another", "nets, starts")
        _draw(out / "style_ablation.png", rows, titles)


def painted(content: str, style: str, **overrides):
    """An image by descent, with the defaults of `genjax.stylize` and overrides of its config."""
    c = gatys_config(str(IMAGES / f"{content}.jpg"), [str(IMAGES / f"{style}.jpg")], FLAGS.size)
    c.update_from_flattened_dict(overrides)
    *_, image = descend(c)
    return image


def _table(path, contents, styles, paint):
    """A table of images: styles across, contents down."""
    from PIL import Image

    head = [("", None), *((name, Image.open(IMAGES / f"{name}.jpg")) for name in styles)]
    body = [[("", Image.open(IMAGES / f"{c}.jpg")), *(("", paint(c, s)) for s in styles)] for c in contents]
    _draw(path, [head, *body], [""] * (1 + len(contents)))


def _draw(path, rows, titles, side=1.9):
    """Rows of images with titles; `side`: inches of an image."""
    from matplotlib.figure import Figure

    ratios = [max(p.height / p.width for _, p in row if p) for row in rows]
    width = side * len(rows[0])
    figure = Figure(figsize=(width, sum(ratios) * side + 0.3 * len(rows)), dpi=100, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    for line, row, title in zip(
        figure.subplots(len(rows), len(rows[0]), squeeze=False, height_ratios=ratios), rows, titles, strict=True
    ):
        for axes, (name, image) in zip(line, row, strict=True):
            axes.axis("off")
            if image:
                axes.imshow(image)
            axes.set_title(name, fontsize=9)
        if title:
            line[0].text(
                -0.05, 0.5, title, rotation=90, va="center", ha="right", transform=line[0].transAxes, fontsize=9
            )
    save_png(path, rendered(figure), "Style transfer")


if __name__ == "__main__":
    define_flags()
    entry.run(main)
