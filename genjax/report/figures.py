"""Pictures of results: grids, scatter plots, their evolution as a GIF, training curves."""

import io
import math
import os
from collections.abc import Sequence

import numpy as np

from genjax.errors import InputError
from genjax.report.files import write_bytes

COMFORTABLE = 900  # pixels: small pictures are enlarged up to this size
GIF_BYTES = 4_000_000
COLORS = ("#2a6db4", "#d95f28", "#2e8b57", "#8d57b8", "#b3860f", "#c2406a")
NOT_METRICS = ("step", "seconds", "images_per_second")


def grid(images, columns: int | None = None, pad: int = 2, scale: int | None = None):
    """Pictures side by side, row by row, on white; small ones enlarged without smoothing.

    Shapes: images uint8 [N, H, W, C], C = 1 or 3; the result has `columns` columns (default: near-square overall),
    with `pad` pixels around every picture, all enlarged `scale` times (default: to at most 900 pixels, 8 times).
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


def scatter(points, reference=None):
    """Generated points over the data's, on equal axes whose limits depend on the data alone.

    Shapes: points [N, 2], reference [M, 2]; the picture is 640 by 640 whatever they are, so that pictures of one run
    line up. Points outside the limits, or not finite, are counted in a corner.
    Raises: InputError for another shape.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

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
    axes.scatter(*points.T, s=size, c=COLORS[1], alpha=0.7, lw=0, label="generated")
    axes.set(xlim=(center[0] - half, center[0] + half), ylim=(center[1] - half, center[1] + half))
    outside = len(points) - int((np.abs(points - center) <= half).all(1).sum())
    if outside:
        text = f"{outside:,} of {len(points):,} outside"
        axes.text(0.98, 0.02, text, transform=axes.transAxes, ha="right", color="#666666")
    if reference is not None:
        axes.legend(loc="upper right", markerscale=2, frameon=True, framealpha=0.9, edgecolor="none")
    _tidy(axes)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def picture(examples, columns: int | None = None, reference=None):
    """Examples of either kind as a picture: a grid of images, or a scatter plot of points over `reference`.

    Shapes: examples uint8 [N, H, W, C] or float [N, 2].
    """
    return scatter(examples, reference) if np.ndim(examples) == 2 else grid(examples, columns)


def save_png(path: str | os.PathLike, image) -> None:
    """Save a picture as PNG, whole or not at all."""
    data = io.BytesIO()
    image.save(data, "PNG")
    write_bytes(path, data.getvalue())


def save_gif(path: str | os.PathLike, frames: Sequence, seconds: float = 6.0, most: int = 60) -> None:
    """Pictures in turn, as a looping GIF: at most `most` of them, evenly chosen, over `seconds`, the last held for 2 s.

    One palette serves all frames, without dithering: what does not change does not flicker. Pictures of another size
    are brought to the last one's. Beyond 4 MB the GIF gets smaller, then has fewer frames.
    Raises: InputError without frames, or for a file that is not a picture.
    """
    from PIL import Image

    if not len(frames) or most < 1:
        raise InputError(f"a GIF needs at least one frame; got {len(frames)} frames and {most=}")
    pictures = []
    for frame in [frames[-1]] if most == 1 else [frames[i] for i in _evenly(len(frames), most)]:
        try:
            with Image.open(frame) as image:
                pictures.append(image.convert("L" if image.mode in ("1", "L") else "RGB"))
        except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for some broken PNGs
            raise InputError(f"{frame}: cannot be read as a picture ({error})") from error
    mode = "RGB" if any(picture.mode == "RGB" for picture in pictures) else "L"
    sizes = _gif_sizes(pictures[-1])
    while True:
        size, how = sizes.pop(0)
        data = _gif([picture.convert(mode).resize(size, how) for picture in pictures], seconds)
        if len(data) <= GIF_BYTES or not (sizes or len(pictures) > 12):
            break
        if not sizes:
            sizes = [(size, how)]
            pictures = [
                pictures[i] for i in _evenly(len(pictures), max(12, int(GIF_BYTES / len(data) * len(pictures))))
            ]
    write_bytes(path, data)


def _gif(pictures: list, seconds: float) -> bytes:
    each = min(500, max(20, round(100 * seconds / len(pictures)) * 10))  # milliseconds, in the format's steps of 10
    first, *others = _with_one_palette(pictures)
    data = io.BytesIO()
    durations = [each] * len(others) + [2000]
    first.save(data, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False)
    return data.getvalue()


def _evenly(n: int, most: int) -> list[int]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()


def _gif_sizes(image) -> list:
    """Sizes to try, with how to get there, largest first, at most 640 pixels.

    Of an enlarged picture these are whole multiples of the original, so that its pixels stay sharp and compress well.
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


def _with_one_palette(pictures: list) -> list:
    from PIL import Image

    frames = [np.asarray(picture) for picture in pictures]
    if frames[0].ndim == 2:
        levels = 32
        table = np.linspace(0, levels - 1, 256).round().astype(np.uint8)
        palette = np.linspace(0, 255, levels).round().astype(np.uint8).repeat(3)
        indices = [table[frame] for frame in frames]
    else:
        # Colors of pixels from a few frames, the last one (the finished pictures) twice; then a table from five bits
        # a channel to the nearest of them: Pillow's own quantize() onto a palette takes a second a frame.
        few = [frames[i].reshape(-1, 3) for i in [*_evenly(len(frames), 6), -1]]
        few = [colors[:: max(1, len(colors) // 3000)] for colors in few]
        palette = np.array(Image.fromarray(np.concatenate(few)[None]).quantize(127, kmeans=1).getpalette(), np.uint8)
        palette = np.concatenate([palette, np.full(3, 255, np.uint8)])  # the white around the pictures, exactly
        cells = np.stack(np.meshgrid(*[np.linspace(0, 255, 32)] * 3, indexing="ij"), -1).reshape(-1, 3)
        colors = palette.reshape(-1, 3).astype(float)
        table = ((colors**2).sum(1) - 2 * cells @ colors.T).argmin(1).astype(np.uint8)
        codes = [frame.astype(np.uint16) >> 3 for frame in frames]
        indices = [table[(code[..., 0] << 10) + (code[..., 1] << 5) + code[..., 2]] for code in codes]
    out = [Image.fromarray(index) for index in indices]
    for picture in out:
        picture.putpalette(palette.tobytes())
    return out


def curves(rows: list[dict], path: str | os.PathLike) -> None:
    """Draw the metrics of a run over its steps: losses first, then the others by prefix and scale.

    A bold smoothed line over the faint raw one; a logarithmic axis where values span decades; a cross at the foot
    where a value was not finite. `rows` are those of metrics.jsonl; what is not a number is left out.
    """
    from matplotlib.figure import Figure

    series = _series(rows)
    panels = _panels(series)
    count = max(1, len(panels))
    columns = 1 if count == 1 else 2
    wide = count % 2  # an odd panel: the losses get the whole first row
    height = -(-(count + wide) // columns) if columns == 2 else 1
    figure = Figure(figsize=(10, 3.0 * height + 0.2), dpi=160, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.1)
    spec = figure.add_gridspec(height, columns)
    steps = np.concatenate([[], *(steps for steps, _ in series.values())])
    for i, (title, names) in enumerate(panels):
        cell = spec[0, :] if wide and i == 0 else spec[divmod(i + wide, columns)]
        axes = figure.add_subplot(cell)
        _draw(axes, title, {name: series[name] for name in names})
        if steps.min() < steps.max():  # the same steps everywhere, so that panels can be compared
            axes.set_xlim(steps.min() - 0.01 * np.ptp(steps), steps.max() + 0.01 * np.ptp(steps))
    if not panels:
        figure.text(0.5, 0.5, "no metrics logged yet", ha="center", va="center", color="#666666", size=13)
    data = io.BytesIO()
    figure.savefig(data, format="png")
    write_bytes(path, data.getvalue())


def _series(rows: list[dict]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per metric its steps and values, at most 4,000 of them; metrics that were never finite are left out."""
    found: dict[str, list] = {}
    for row in rows:
        for name, value in row.items():
            if name not in NOT_METRICS and isinstance(value, int | float) and not isinstance(value, bool):
                found.setdefault(name, []).append((row.get("step", len(found)), value))
    series = {}
    for name, pairs in found.items():
        steps, values = np.array(sorted(pairs, key=lambda pair: pair[0]), float).T
        if np.isfinite(values).any():
            keep = _evenly(len(steps), 4000)
            series[name] = steps[keep], values[keep]
    return series


def _panels(series: dict) -> list[tuple[str, list[str]]]:
    """Titles and names: the losses, then a group a prefix; a group is split where neighbours differ 30 times."""
    groups: dict[str, list[str]] = {"losses": [name for name in series if "loss" in name.lower()]}
    for name in series:
        if name not in groups["losses"]:
            groups.setdefault(name.rpartition("/")[0] or "metrics", []).append(name)

    def typical(name):
        values = np.abs(series[name][1])
        return float(np.median(values[np.isfinite(values)]))

    panels = []
    for title, names in groups.items():
        parts: list[list[str]] = []
        for name in sorted(names, key=typical, reverse=True):
            if parts and typical(parts[-1][-1]) <= 30 * typical(name) and len(parts[-1]) < len(COLORS):
                parts[-1].append(name)
            else:
                parts.append([name])
        panels += [(title if len(part) > 1 else part[0], sorted(part)) for part in parts]
    return panels


def _draw(axes, title: str, series: dict) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    values = np.concatenate([values for _, values in series.values()])
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, [1, 99])
    log = bool(values.min() > 0 and high > 100 * low)
    span, limits = high - low, (-np.inf, np.inf)
    if not log and values.max() - values.min() > 5 * span > 0:  # a few peaks must not flatten everything else
        limits = max(values.min(), low - 0.6 * span), min(values.max(), high + 0.6 * span)
        axes.set_ylim(limits[0] - 0.05 * span, limits[1] + 0.05 * span)
        beyond = [f"up to {values.max():.3g}"] * bool(values.max() > limits[1])
        beyond += [f"down to {values.min():.3g}"] * bool(values.min() < limits[0])
        note = f"   (peaks {' and '.join(beyond)} are cut)"
    else:
        note = ""
    for color, (name, (steps, raw)) in zip(COLORS, series.items(), strict=False):
        finite = np.isfinite(raw)
        raw = np.where(finite, raw, np.nan)  # a gap in the line
        label = name.removeprefix(title + "/")
        if len(raw) <= 30:
            axes.plot(steps, raw, color=color, lw=1.6, marker="o", ms=3.5, label=label)
        else:
            axes.plot(steps, raw, color=color, lw=0.8, alpha=0.28)
            axes.plot(steps, _smooth(np.clip(raw, *limits), log), color=color, lw=1.9, label=label)
        if not finite.all():
            lost = steps[~finite]
            foot = axes.get_xaxis_transform()
            axes.plot(lost, np.full(len(lost), 0.03), "x", color=color, ms=6, transform=foot, clip_on=False)
    if log:
        axes.set_yscale("log")
    else:
        axes.ticklabel_format(axis="y", scilimits=(-3, 5), useOffset=False)
    axes.set_title(title + note, loc="left", fontsize=11, fontweight="bold", color="#333333")
    if len(series) > 1:
        axes.legend(loc="best", fontsize=9.5, frameon=True, framealpha=0.8, edgecolor="none")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    _tidy(axes)


def _smooth(values: np.ndarray, log: bool) -> np.ndarray:
    """A Gaussian window of about a fortieth of the run, over the finite values alone, so the ends are not bent."""
    radius = max(2, len(values) // 25)
    window = np.exp(-0.5 * (np.arange(-radius, radius + 1) / (radius / 2.5)) ** 2)
    finite = np.isfinite(values)
    filled = np.where(finite, np.log(values) if log else values, 0.0)
    mean = np.convolve(filled, window, "same") / np.maximum(np.convolve(finite, window, "same"), 1e-12)
    return np.where(finite, np.exp(mean) if log else mean, np.nan)


def _tidy(axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(color="#999999", labelcolor="#333333", labelsize=9.5)
    axes.grid(color="#e6e6e6", lw=0.7)
    axes.set_axisbelow(True)
