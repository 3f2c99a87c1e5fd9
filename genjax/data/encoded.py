"""Encoded images, in files or a TFDS data set: headers are checked first, pixels decoded at once or when read."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from genjax.data.images import Form, decode_pixels, read_header
from genjax.data.request import Request
from genjax.data.source import Source, in_memory
from genjax.errors import InputError

MAX_IN_MEMORY = 2**30
"""Decoded bytes up to which all images are decoded when the source is opened, which also finds every broken one."""
_CHUNK = 1024  # images read at a time, to bound the memory for encoded bytes


@dataclass(frozen=True)
class EncodedImages:
    """PNG, JPEG or WebP images by index."""

    count: int
    files: Callable[[Sequence[int]], Sequence[Path | bytes]]  # indices -> paths or contents of files
    name: Callable[[int], str]  # index -> the image's name in messages


def common_shape(images: EncodedImages, form: Form) -> tuple[int, int, int]:
    """The shape (H, W, C) that all images have once they are brought to a form, from their headers alone.

    Raises: InputError naming images that are broken, incomplete or too small, or two that differ in size if the form
    has none.
    """

    def checked_header(file):
        height, width, is_gray = _read_header(file)
        form.refuse_smaller(height, width)
        return height, width, is_gray

    headers = list(_for_each(images, np.arange(images.count), checked_header))
    if form.size:
        height, width = form.size
    else:
        height, width, _ = headers[0]
        for index, (h, w, _) in enumerate(headers):
            if (h, w) != (height, width):
                raise InputError(
                    f"Images differ in size: {images.name(0)} is {height}x{width}, {images.name(index)} is "
                    f"{h}x{w} (height x width). Set data.size, for example to 64."
                )
    return height, width, form.channels or (1 if all(is_gray for *_, is_gray in headers) else 3)


def decode_images(images: EncodedImages, indices: np.ndarray, form: Form, shape: tuple[int, int, int]) -> np.ndarray:
    """The images of these indices, decoded on all cores. Shapes: indices [N] -> uint8 [N, *shape].

    Raises: InputError naming the images that cannot be decoded.
    """
    out = np.empty((len(indices), *shape), np.uint8)
    for row, x in enumerate(_for_each(images, indices, lambda file: _decode(file, form, shape))):
        out[row] = x
    return out


def source_of_images(
    request: Request,
    images: EncodedImages,
    indices: np.ndarray,
    shape: tuple[int, int, int],
    describe: Callable[[], str],
    labels: np.ndarray | None = None,
    label_names: tuple[str, ...] = (),
) -> Source:
    """A source over the images of these indices: in memory up to MAX_IN_MEMORY bytes, else decoded when read.

    `labels` are those of all images; `describe` returns the fingerprint of images that are not held in memory.
    """
    labels = None if labels is None else labels[indices].astype(np.int32)
    if len(indices) * prod(shape) <= MAX_IN_MEMORY:
        x = decode_images(images, indices, request.form, shape)
        return in_memory(request.name, request.split, x, labels, label_names)
    return Source(
        name=request.name,
        split=request.split,
        size=len(indices),
        shape=shape,
        dtype=np.dtype(np.uint8),
        read=lambda positions: decode_images(images, indices[np.asarray(positions)], request.form, shape),
        labels=labels,
        label_names=label_names,
        fingerprint=describe(),
    )


def concatenate_ranges(bounds: Iterable[tuple[int, int]]) -> np.ndarray:
    """The whole numbers of several ranges (start, stop), one range after another."""
    return np.concatenate([np.arange(start, stop) for start, stop in bounds])


def _for_each(images: EncodedImages, indices: np.ndarray, task: Callable) -> Iterator:
    """task(file) for each index, in order. Raises: InputError at the end, naming the images whose task failed."""
    failed = []
    indices = indices.tolist()
    for chunk in (indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)):
        for index, result in zip(chunk, _pool().map(_attempt(task), images.files(chunk)), strict=True):
            if isinstance(result, str):
                failed.append(f"{images.name(index)} ({result})")
            else:
                yield result
    if failed:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        number = "An image" if len(failed) == 1 else f"{len(failed)} images"
        raise InputError(f"{number} cannot be used: {', '.join(failed[:3])}{more}. Replace or remove them.")


def _attempt(task: Callable) -> Callable:
    """The task, with the reason of a failure as its result in place of an exception."""
    from PIL import Image, UnidentifiedImageError

    def run(file: Path | bytes):
        try:
            return task(file)
        except UnidentifiedImageError:
            return "not a PNG, JPEG or WebP image"
        except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
            return getattr(error, "strerror", None) or str(error) or type(error).__name__

    return run


def _open(file: BinaryIO):
    from PIL import Image

    return Image.open(file, formats=("PNG", "JPEG", "WEBP"))


def _stream(file: Path | bytes) -> BinaryIO:
    return BytesIO(file) if isinstance(file, bytes) else open(file, "rb")


def _read_header(file: Path | bytes) -> tuple[int, int, bool]:
    with _stream(file) as stream:
        image = _open(stream)
        header = read_header(image)
        if not _is_whole(stream, image.format):
            raise OSError("incomplete file")
        return header


def _decode(file: Path | bytes, form: Form, shape: tuple[int, int, int]) -> np.ndarray:
    with _stream(file) as stream:
        x = decode_pixels(_open(stream), form, shape[-1])
    if x.shape != shape:
        raise ValueError(f"is {x.shape[0]}x{x.shape[1]}, not {shape[0]}x{shape[1]}; set data.size")
    return x


def _is_whole(file: BinaryIO, format: str) -> bool:
    """Whether the file is complete, without decoding it. Bytes after its end are allowed, as decoders allow them."""
    size = file.seek(0, os.SEEK_END)
    if format == "WEBP":  # RIFF, then the size of the rest
        file.seek(4)
        return size >= 8 + int.from_bytes(file.read(4), "little")
    file.seek(max(0, size - 4096))
    tail = file.read()
    if format == "PNG":
        return b"IEND\xaeB`\x82" in tail
    # JPEG (or MPO). A thumbnail in the header also has an end marker, so a small file is read from its first scan on;
    # within a scan FF D9 can only be the end.
    if size > 2**18 and b"\xff\xd9" in tail:
        return True
    file.seek(0)
    data = file.read()
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return b"\xff\xd9" in data[at:]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(32, os.cpu_count() or 1), thread_name_prefix="genjax-decode")
