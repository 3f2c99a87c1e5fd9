"""Images of results: grids, scatter plots, their evolution as a GIF."""

import io
import math
import os
from collections.abc import Sequence

import numpy as np

from genjax.errors import InputError
from genjax.files import write_bytes

COMFORTABLE = 900  # pixels: small images are enlarged up to this size
GIF_BYTES = 4_000_000
COLORS = ("#2a6db4", "#d95f28", "#2e8b57", "#8d57b8", "#b3860f", "#c2406a")


def grid(images, columns: int | None = None, pad: int = 2, scale: int | None = None):
    """Images side by side, row by row, on white; small ones enlarged without smoothing.

    Shapes: images uint8 [N, H, W, C], C = 1 or 3; the result has `columns` columns (default: near-square overall),
    with `pad` pixels around every image, all enlarged `scale` times (default: to at most 900 pixels, 8 times).
    Raises: InputError for another shape or type.
    """
    from PIL import Image

    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise InputError(f"a grid shows uint8 [N, H, W, 1 or 3]; got {images.dtype} {list(images.shape)}")
    if any(value is not None and value < least for value, least in ((columns, 1), (pad, 0), (scale, 1))):
        raise InputError(f"a grid needs columns and scale >= 1, pad >= 0; got {columns=}, {scale=}, {pad=}")
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


def scatter(points, reference=None, name: str = "generated"):
    """Points, called `name`, over the data's, on equal axes whose limits depend on the data alone.

    Shapes: points [N, 2], reference [M, 2]; the image is 640 by 640 whatever they are, so that images of one run
    line up. Points outside the limits, or not finite, are counted in a corner.
    Raises: InputError for another shape.
    """
    from matplotlib.figure import Figure

    points, reference = np.asarray(points, float), None if reference is None else np.asarray(reference, float)
    for name, value in (("points", points), ("reference", reference)):
        if value is not None and (value.ndim != 2 or value.shape[1] != 2):
            raise InputError(f"a scatter plot shows {name} [N, 2]; got {list(value.shape)}")
    base = points if reference is None else reference
    base = base[np.isfinite(base).all(1)] if np.isfinite(base).all(1).any() else np.zeros((1, 2))
    low, high = base.min(0), base.max(0)
    center, half = (low + high) / 2, 0.6 * (high - low).max() or 1.0

    figure = Figure(figsize=(6.4, 6.4), dpi=100, layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    size = float(np.clip(6000 / max(len(points), 1), 3, 20))  # area in points squared: many points, small dots
    if reference is not None:
        axes.scatter(*reference.T, s=size, c="#b4b9c0", lw=0, label="data")
    axes.scatter(*points.T, s=size, c=COLORS[1], alpha=0.7, lw=0, label=name)
    axes.set(xlim=(center[0] - half, center[0] + half), ylim=(center[1] - half, center[1] + half))
    outside = len(points) - int((np.abs(points - center) <= half).all(1).sum())
    if outside:
        text = f"{outside:,} of {len(points):,} outside"
        axes.text(0.98, 0.02, text, transform=axes.transAxes, ha="right", color="#666666")
    if reference is not None:
        axes.legend(loc="upper right", markerscale=2, frameon=True, framealpha=0.9, edgecolor="none")
    tidy(axes)
    return rendered(figure)


def image(examples, columns: int | None = None, reference=None, classes: int = 0):
    """Examples of either kind as an image: a grid of images, or a scatter plot of points over `reference`.

    Where examples i, i + classes, i + 2 classes, ... are of one class, they are a row; what fills no row is left out.
    Shapes: examples uint8 [N, H, W, C] or float [N, 2].
    """
    if np.ndim(examples) == 2:
        return scatter(examples, reference)
    each = len(examples) // classes if classes else 0
    if not each or columns:
        return grid(examples, columns)
    return grid(examples[np.arange(each * classes).reshape(each, classes).T.ravel()], each)


def save_png(path: str | os.PathLike, image, title: str = "") -> None:
    """Save an image as PNG, whole or not at all; `title` is kept in the file, where `title_of` finds it."""
    from PIL.PngImagePlugin import PngInfo

    about = PngInfo()
    if title:
        about.add_text("Title", title)
    data = io.BytesIO()
    image.save(data, "PNG", pnginfo=about)
    write_bytes(path, data.getvalue())


def title_of(path: str | os.PathLike) -> str:
    """What a PNG says that it shows, or ""."""
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


def save_gif(path: str | os.PathLike, frames: Sequence, seconds: float = 6.0, most: int = 60, hold: float = 2) -> None:
    """Images in turn, as a looping GIF: at most `most`, evenly chosen, over `seconds`, the last held for `hold` s.

    A frame is a file's path or an open file.

    One palette serves all frames, without dithering: what does not change does not flicker. Images of another size
    are brought to the last one's. Beyond 4 MB the GIF gets smaller, then has fewer frames.
    Raises: InputError without frames, or for a file that is not an image.
    """
    from PIL import Image

    if not len(frames) or most < 1:
        raise InputError(f"a GIF needs at least one frame; got {len(frames)} frames and {most=}")
    images = []
    for frame in [frames[-1]] if most == 1 else [frames[i] for i in evenly(len(frames), most)]:
        try:
            with Image.open(frame) as image:
                images.append(image.convert("L" if image.mode in ("1", "L") else "RGB"))
        except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for some broken PNGs
            raise InputError(f"{frame}: cannot be read as an image ({error})") from error
    mode = "RGB" if any(image.mode == "RGB" for image in images) else "L"
    sizes = _gif_sizes(images[-1])
    while True:
        size, how = sizes.pop(0)
        data = _gif([image.convert(mode).resize(size, how) for image in images], seconds, hold)
        if len(data) <= GIF_BYTES or not (sizes or len(images) > 12):
            break
        if not sizes:
            sizes = [(size, how)]
            images = [images[i] for i in evenly(len(images), max(12, int(GIF_BYTES / len(data) * len(images))))]
    write_bytes(path, data)


def _gif(images: list, seconds: float, hold: float) -> bytes:
    each = min(500, max(20, round(100 * seconds / len(images)) * 10))  # milliseconds, in the format's steps of 10
    first, *others = _with_one_palette(images)
    data = io.BytesIO()
    durations = [each] * len(others) + [max(each, round(100 * hold) * 10)]
    first.save(data, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False)
    return data.getvalue()


def evenly(n: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 ... n - 1, evenly spread, with the first and the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()


def _gif_sizes(image) -> list:
    """Sizes to try, with how to get there, largest first, at most 640 pixels.

    Of an enlarged image these are whole multiples of the original, so that its pixels stay sharp and compress well.
    """
    from PIL import Image

    pixels = np.atleast_3d(np.asarray(image))
    changes = [np.flatnonzero((np.diff(pixels, axis=i) != 0).any(axis=(1 - i, 2))) + 1 for i in (0, 1)]
    factor = int(np.gcd.reduce([*image.size, *changes[0], *changes[1]]))
    width, height = image.width // factor, image.height // factor
    longest = max(width, height)
    multiples = [i for i in range(factor, 0, -1) if longest * i <= 640]
    multiples = [i for i in multiples if longest * i >= 200] or multiples[:1]
    sizes = [((width * i, height * i), Image.Resampling.NEAREST) for i in multiples]
    for side in (640, 400):
        if longest > side:
            shrunk = max(1, round(width * side / longest)), max(1, round(height * side / longest))
            sizes.append((shrunk, Image.Resampling.BOX))
    return sizes


def _with_one_palette(images: list) -> list:
    from PIL import Image

    frames = [np.asarray(image) for image in images]
    if frames[0].ndim == 2:
        levels = 32
        table = np.linspace(0, levels - 1, 256).round().astype(np.uint8)
        palette = np.linspace(0, 255, levels).round().astype(np.uint8).repeat(3)
        indices = [table[frame] for frame in frames]
    else:
        # Colors of pixels from a few frames, the last one (the finished images) twice; then a table from five bits
        # a channel to the nearest of them: Pillow's own quantize() onto a palette takes a second a frame.
        few = [frames[i].reshape(-1, 3) for i in [*evenly(len(frames), 6), -1]]
        few = [colors[:: max(1, len(colors) // 3000)] for colors in few]
        palette = np.array(Image.fromarray(np.concatenate(few)[None]).quantize(127, kmeans=1).getpalette(), np.uint8)
        palette = np.concatenate([palette, np.full(3, 255, np.uint8)])  # the white around the images, exactly
        cells = np.stack(np.meshgrid(*[np.linspace(0, 255, 32)] * 3, indexing="ij"), -1).reshape(-1, 3)
        colors = palette.reshape(-1, 3).astype(float)
        table = ((colors**2).sum(1) - 2 * cells @ colors.T).argmin(1).astype(np.uint8)
        codes = [frame.astype(np.uint16) >> 3 for frame in frames]
        indices = [table[(code[..., 0] << 10) + (code[..., 1] << 5) + code[..., 2]] for code in codes]
    out = [Image.fromarray(index) for index in indices]
    for image in out:
        image.putpalette(palette.tobytes())
    return out


def tidy(axes) -> None:
    """Axes that stay behind what they measure."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(color="#999999", labelcolor="#333333", labelsize=9.5)
    axes.grid(color="#e6e6e6", lw=0.7)
    axes.set_axisbelow(True)
