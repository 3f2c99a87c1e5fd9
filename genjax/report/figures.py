"""Tools of all figures: grids of images, PNG files, the look of plots."""

import io
import math
import os
from collections.abc import Sequence

import numpy as np

from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.report.display import shown

COMFORTABLE = 900  # pixels: small images are enlarged up to this size
SMALLEST_TEXT = 9  # pixels
COLORS = ("#2a6db4", "#d95f28", "#2e8b57", "#8d57b8", "#b3860f", "#c2406a")


def grid(images, columns: int | None = None, pad: int = 2, scale: int | None = None):
    """Images side by side, row by row, on white; small ones enlarged without smoothing.

    `columns` defaults to a near-square grid; `pad` pixels surround every image; `scale` is the enlargement (default: up
    to 8 times, to at most 900 pixels).
    Shapes: images uint8 or uint16 [N, H, W, C], of any number of channels (`genjax.report.display`).
    Raises: InputError for another shape or type.
    """
    from PIL import Image

    images = np.asarray(images)
    if images.dtype not in (np.uint8, np.uint16) or images.ndim != 4 or 0 in images.shape:
        raise InputError(f"a grid shows uint8 or uint16 [N, H, W, C]; got {images.dtype} {list(images.shape)}")
    if any(value is not None and value < least for value, least in ((columns, 1), (pad, 0), (scale, 1))):
        raise InputError(f"a grid needs columns and scale >= 1, pad >= 0; got {columns=}, {scale=}, {pad=}")
    images = shown(images)
    n, h, w, c = images.shape
    columns = min(n, columns or math.ceil(math.sqrt(n * (h + pad) / (w + pad))))
    rows = -(-n // columns)
    cells = np.full((rows * columns, h + pad, w + pad, c), 255, np.uint8)
    cells[:n, pad:, pad:] = images
    sheet = cells.reshape(rows, columns, h + pad, w + pad, c).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (h + pad), columns * (w + pad), c)
    sheet = np.pad(sheet, ((0, pad), (0, pad), (0, 0)), constant_values=255)
    scale = scale or max(1, min(8, COMFORTABLE // max(sheet.shape)))
    sheet = sheet.repeat(scale, 0).repeat(scale, 1)
    return Image.fromarray(sheet[..., 0] if c == 1 else sheet)


def name_rows(image, names: Sequence[str]):
    """An image of evenly spaced rows, with a name at the left of each; long names are shortened.

    A name in a script that the font lacks is replaced by the number of its row; rows below `SMALLEST_TEXT` get none.
    """
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font
    from PIL import Image, ImageDraw, ImageFont

    row = image.height / len(names)
    if row < SMALLEST_TEXT:
        return image
    path = findfont("DejaVu Sans")  # Matplotlib comes with it
    known = FT2Font(path).get_charmap()
    font = ImageFont.truetype(path, min(15, int(max(SMALLEST_TEXT, row / 2))))
    texts = [name if all(ord(c) in known for c in name) else str(i) for i, name in enumerate(names)]
    texts = [_shortened(text, font, max(80, image.width // 3)) for text in texts]
    left = 10 + int(max(map(font.getlength, texts)))
    sheet = Image.new(image.mode, (left + image.width, image.height), "white")
    sheet.paste(image, (left, 0))
    draw = ImageDraw.Draw(sheet)
    for i, text in enumerate(texts):
        draw.text((left - 4, (i + 0.5) * row), text, "#333333", font, anchor="rm")
    return sheet


def _shortened(text: str, font, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    return next(cut for n in range(len(text) - 1, -1, -1) if font.getlength(cut := f"{text[:n]}\u2026") <= width)


def save_png(path: str | os.PathLike, image, title: str = "") -> None:
    """Save an image as PNG, completely or not at all; `title` is stored in the file, for `title_of`."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    if title:
        info.add_text("Title", title)
    data = io.BytesIO()
    image.save(data, "PNG", pnginfo=info)
    write_bytes(path, data.getvalue())


def title_of(path: str | os.PathLike) -> str:
    """The title that a PNG was saved with, or ""."""
    from PIL import Image

    with Image.open(path) as image:
        return str(image.info.get("Title", ""))


def rendered(figure):
    """A Matplotlib figure as an image."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def plain(name: str) -> str:
    """A name as Matplotlib draws it: no mathematics, only UTF-8, and a label even if it begins with _."""
    text = name.encode("utf-8", "backslashreplace").decode().replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def evenly(n: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 ... n - 1, evenly spaced, including the first and the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()


def tidy(axes) -> None:
    """Unobtrusive axes, for every plot."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(color="#999999", labelcolor="#333333", labelsize=9.5)
    axes.grid(color="#e6e6e6", lw=0.7)
    axes.set_axisbelow(True)
