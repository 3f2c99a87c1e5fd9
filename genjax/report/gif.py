"""Images in turn as a small, looping GIF."""

import io
import os
from collections.abc import Sequence

import numpy as np

from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.report.figures import evenly

GIF_BYTES = 4_000_000
"""Size of the file above which frames are made smaller and fewer."""


def save_gif(path: str | os.PathLike, frames: Sequence, seconds: float = 6.0, most: int = 60, hold: float = 2) -> None:
    """Save images as a looping GIF, as `gif_bytes` makes it. Raises: InputError, as `gif_bytes`."""
    write_bytes(path, gif_bytes(frames, seconds, most, hold))


def gif_bytes(frames: Sequence, seconds: float = 6.0, most: int = 60, hold: float = 2) -> bytes:
    """Images as the contents of a looping GIF: at most `most`, evenly chosen, over `seconds`, the last for `hold` more.

    Frames are paths or open files. One palette serves all frames, without dithering, so that unchanged parts do not
    flicker. Images of other sizes are resized to that of the last one. Beyond 4 MB the GIF is made smaller, then gets
    fewer frames.
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
        size, resampling = sizes.pop(0)
        data = _gif([image.convert(mode).resize(size, resampling) for image in images], seconds, hold)
        if len(data) <= GIF_BYTES or not (sizes or len(images) > 12):
            break
        if not sizes:
            sizes = [(size, resampling)]
            images = [images[i] for i in evenly(len(images), max(12, int(GIF_BYTES / len(data) * len(images))))]
    return data


def _gif(images: list, seconds: float, hold: float) -> bytes:
    each = min(500, max(20, round(100 * seconds / len(images)) * 10))  # milliseconds, in the format's steps of 10
    first, *others = _with_one_palette(images)
    data = io.BytesIO()
    durations = [each] * len(others) + [max(each, round(100 * hold) * 10)]
    first.save(data, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False)
    return data.getvalue()


def _gif_sizes(image) -> list:
    """Sizes to try, with their resampling, largest first, at most 640 pixels.

    For an enlarged image they are integer multiples of the original size, so that pixels stay sharp and compress well.
    """
    from PIL import Image

    pixels = np.atleast_3d(np.asarray(image))
    changes = [np.flatnonzero((np.diff(pixels, axis=i) != 0).any(axis=(1 - i, 2))) + 1 for i in (0, 1)]
    factor = int(np.gcd.reduce([*image.size, *changes[0], *changes[1]]))
    width = image.width // factor
    height = image.height // factor
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
        sample = [frames[i].reshape(-1, 3) for i in [*evenly(len(frames), 6), -1]]
        sample = [colors[:: max(1, len(colors) // 3000)] for colors in sample]
        palette = np.array(Image.fromarray(np.concatenate(sample)[None]).quantize(127, kmeans=1).getpalette(), np.uint8)
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
