"""A contact sheet: images of each class in rows, with the class's name and count beside them."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from genjax.report.display import shown
from genjax.report.figures import COMFORTABLE

PAD = 3  # pixels between images
GAP = 10  # pixels between rows
MARGIN = 20  # pixels around the sheet and between its blocks of rows
NAME_WIDTH = 170  # at most
MAX_CLASSES = 240
"""Number of classes that a sheet has room for."""
DARK, LIGHT = "#222222", "#777777"


class Layout(NamedTuple):
    """The arrangement of a number of classes."""

    blocks: int  # side by side, each with its share of the classes
    columns: int  # images in a line
    lines: int  # lines of images per class
    cell: int  # longest side of an image, in pixels


class Row(NamedTuple):
    """A class, or all examples without classes."""

    name: str  # "" for none
    count: str  # such as "1,204 images"; "" for none
    examples: Sequence[int]  # their indices


def layout(classes: int) -> Layout:
    """The layout for a number of classes; 0 for images without classes."""
    if classes <= 1:
        return Layout(1, 12, 8, 72)
    if classes <= 20:
        return Layout(1, 12, max(1, 8 // classes), 72)
    return Layout(2, 8, 1, 56) if classes <= 60 else Layout(4, 5, 1, 48)


def draw(title: str, rows: Sequence[Row], read: Callable[[np.ndarray], np.ndarray], shape: tuple[int, int, int]):
    """The rows under a title, as one image; those beyond the lines of the layout are left out.

    Small images are enlarged without smoothing, large ones reduced.
    Shapes: read maps indices [n] to uint8 [n, *shape].
    """
    from PIL import Image, ImageDraw

    blocks, columns, lines, cell = layout(sum(bool(row.name) for row in rows))
    height, width = _cell((shape[0], shape[1] * (shape[2] if shape[2] > 4 else 1)), cell)
    names = _drawable([row.name for row in rows])
    left = 16 + min(NAME_WIDTH, int(max(*map(_font(14).getlength, names), 70))) if rows[0].name else 0
    tall = [max(1, min(lines, -(-len(row.examples) // columns))) * (height + PAD) + GAP for row in rows]
    split = np.array_split(np.arange(len(rows)), blocks)
    block_width = left + columns * (width + PAD) + MARGIN
    top = MARGIN + 30
    size = (MARGIN + blocks * block_width, top + max(sum(tall[i] for i in part) for part in split) - GAP + MARGIN)
    sheet = Image.new("RGB", (max(size[0], COMFORTABLE // 2), size[1]), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, MARGIN - 2), _fit(title, _font(17), sheet.width - 2 * MARGIN), DARK, _font(17))
    for block, part in enumerate(split):
        x, y = MARGIN + block * block_width, top
        for i in part:
            if names[i]:
                _label(pen, names[i], rows[i].count, x, y + height / 2)
            examples = np.array(rows[i].examples[: columns * lines], int)
            for n, image in enumerate(read(examples) if len(examples) else ()):
                line, column = divmod(n, columns)
                place = (x + left + column * (width + PAD), y + line * (height + PAD))
                sheet.paste(_thumbnail(image, height, width), place)
            y += tall[i]
    return sheet


def _cell(shape: tuple[int, int], side: int) -> tuple[int, int]:
    """Height and width of an image on the sheet: a whole multiple of small ones."""
    longest = max(shape)
    if longest <= side:
        return shape[0] * (side // longest), shape[1] * (side // longest)
    return tuple(max(1, round(n * side / longest)) for n in shape)


def _thumbnail(x: np.ndarray, height: int, width: int):
    from PIL import Image

    x = shown(x)
    image = Image.fromarray(x[..., 0] if x.shape[-1] == 1 else x)
    smooth = image.height > height
    return image.resize((width, height), Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST)


def _label(pen, name: str, count: str, x: int, middle: float) -> None:
    """The name over the count."""
    pen.text((x, middle - 8), _fit(name, _font(14), NAME_WIDTH), DARK, _font(14), anchor="lm")
    pen.text((x, middle + 9), count, LIGHT, _font(11), anchor="lm")


def _drawable(names: Sequence[str]) -> list[str]:
    """The names, with a number in place of one in a script that the font lacks."""
    from matplotlib.ft2font import FT2Font

    known = FT2Font(_font_file()).get_charmap()
    return [name if all(ord(c) in known for c in name) else f"class {i}" for i, name in enumerate(names)]


def _fit(text: str, font, width: int) -> str:
    """The text, or as much of it as the width holds."""
    if font.getlength(text) <= width:
        return text
    return next(cut for n in range(len(text), -1, -1) if font.getlength(cut := f"{text[:n].rstrip()}\u2026") <= width)


@cache
def _font(size: int):
    from PIL import ImageFont

    return ImageFont.truetype(_font_file(), size)


def _font_file() -> str:
    """DejaVu Sans, which Matplotlib brings along."""
    import matplotlib

    return f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
