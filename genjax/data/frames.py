"""The frames of a film: of a .gif, .webp or .mp4, or of a folder of images in the order of their names."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genjax.data.folder import open_image, size_of_image
from genjax.data.images import Form, conform, decode_pixels
from genjax.data.listing import list_files
from genjax.errors import InputError, optional
from genjax.files import expand
from genjax.text import natural

ENDINGS = (".gif", ".webp", ".mp4")
"""Endings of films."""
MOST = 3_000
"""Largest number of frames, which are held in memory."""


class Film(NamedTuple):
    """Frames in turn. Shapes: frames uint8 [T, H, W, 3]; fps: per second, None if the film does not say."""

    frames: np.ndarray
    fps: float | None


def read_film(path: str | os.PathLike, size_for: Callable[[tuple[int, int]], tuple[int, int]] | None = None) -> Film:
    """The frames of a film in color, at their own (height, width) or at the size that `size_for` has for it.

    Raises: InputError for what is no film, has less than two frames or more than MOST, or frames of unlike size.
    """
    path = Path(expand(str(path)))
    if path.is_dir():
        frames, fps = _of_folder(path), None
    elif path.suffix.lower() in ENDINGS and path.is_file():
        frames, fps = (_of_video if path.suffix.lower() == ".mp4" else _of_animation)(path)
    else:
        reason = "is no film" if path.exists() else "does not exist"
        raise InputError(f"{path} {reason}: expected a folder of frames, or a {', '.join(ENDINGS)}")
    read, shape, form = [], None, None
    for frame in frames:
        if shape is None:
            shape = frame.shape
            form = Form(size_for(shape[:2]) if size_for else None, 3, "squash")
        if frame.shape != shape:
            raise InputError(
                f"{path}: frame {len(read) + 1} is {frame.shape[0]}x{frame.shape[1]}, the first "
                f"{shape[0]}x{shape[1]}: expected frames of one size"
            )
        read.append(conform(frame[None], form)[0])
        if len(read) > MOST:
            raise InputError(f"{path} has more than {MOST:,} frames: cut it into shorter films")
    if len(read) < 2:
        raise InputError(f"{path} has {len(read)} frame: expected a film of two or more")
    return Film(np.stack(read), fps)


def _of_folder(path: Path) -> Iterator[np.ndarray]:
    for name in sorted(list_files(path).images, key=natural):
        yield open_image(path / name, size_of_image(path / name)).read([0])[0]


def _of_animation(path: Path) -> tuple[Iterator[np.ndarray], float | None]:
    """The frames of a GIF or WebP, and their mean number per second."""
    from PIL import Image, ImageSequence

    form = Form(None, 3, "squash")
    try:
        with Image.open(path) as image:
            frames, durations = [], []
            for frame in ImageSequence.Iterator(image):
                if len(frames) <= MOST:
                    frames.append(decode_pixels(frame.copy(), form, 3))
                    durations.append(frame.info.get("duration", 0))
    except (OSError, SyntaxError, EOFError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a film ({error})") from error
    return iter(frames), 1000 * len(durations) / sum(durations) if sum(durations) else None


def _of_video(path: Path) -> tuple[Iterator[np.ndarray], float | None]:
    """The frames of a video, and their number per second. Raises: InputError without PyAV."""
    av = optional("av", "a film that is an MP4")
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate = stream.average_rate
            frames = []
            for frame in container.decode(stream):
                if len(frames) <= MOST:
                    frames.append(frame.to_ndarray(format="rgb24"))
    except (av.error.FFmpegError, IndexError) as error:
        raise InputError(f"{path}: cannot be read as a film ({error})") from error
    return iter(frames), float(rate) if rate else None
