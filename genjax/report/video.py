"""Images in turn as an MP4 (H.264), by PyAV: all colors, where a GIF has 256."""

import io
import os
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from genjax.errors import InputError, optional
from genjax.files import write_bytes

SIDE = 480
"""Least number of pixels of the longer side; smaller images are enlarged by an integer factor."""


def need_av() -> None:
    """Raises: InputError where PyAV is not installed."""
    optional("av", "an MP4, unlike a GIF,")


def save_mp4(path: str | os.PathLike, frames: Sequence, seconds: float) -> None:
    """Save images of one size, files or open files, in turn over `seconds`.

    Raises: InputError without frames or without PyAV.
    """
    need_av()
    if not len(frames):
        raise InputError("a video needs at least one frame; got none")
    import av
    from PIL import Image

    images = []
    for frame in frames:
        with Image.open(frame) as image:
            images.append(_even(np.asarray(image.convert("RGB"))))
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(len(frames) / seconds).limit_denominator(1000))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18"}
        for x in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(x, "rgb24")))
        container.mux(stream.encode())
    write_bytes(path, data.getvalue())


def _even(x: np.ndarray) -> np.ndarray:
    """An image with even sides, which the format requires, enlarged if it is small. Shapes: uint8 [H, W, 3], kept."""
    factor = -(-SIDE // max(x.shape[:2]))
    x = x.repeat(factor, 0).repeat(factor, 1)
    return np.pad(x, [(0, side % 2) for side in x.shape[:2]] + [(0, 0)], mode="edge")
