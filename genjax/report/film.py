"""Images in turn as a film: a GIF, an animated WebP, or an MP4, by the name's ending."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genjax.files import write_bytes
from genjax.report import gif, video

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = (".gif", ".webp", ".mp4")
"""Endings of names."""


def save(path: Path, images: Sequence["Image"], seconds: float) -> None:
    """Save images of one size in turn over `seconds`, as a loop. Raises: InputError without PyAV for an MP4."""
    if path.suffix.lower() == ".webp":
        data = io.BytesIO()
        first, *others = [image.convert("RGB") for image in images]
        each = max(1, round(1000 * seconds / len(images)))  # milliseconds
        first.save(data, "WEBP", save_all=True, append_images=others, duration=each, loop=0, lossless=True)
        write_bytes(path, data.getvalue())
        return
    files = [_png(image) for image in images]
    if path.suffix.lower() == ".mp4":
        video.save_mp4(path, files, seconds)
    else:
        gif.save_gif(path, files, seconds, most=len(files), hold=0)


def _png(image: "Image") -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    file.seek(0)
    return file
