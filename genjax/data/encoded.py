"""Images that are still encoded, in a folder or in a TFDS data set: checked, then decoded at once or on demand."""

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

from genjax.data.images import Form, header, pixels
from genjax.data.source import Source, in_memory
from genjax.errors import InputError

IN_MEMORY = 2**30  # decoded bytes up to which everything is decoded once, which also finds every broken image
_CHUNK = 1024  # images fetched at a time, so that encoded bytes do not pile up


@dataclass(frozen=True)
class EncodedImages:
    """Encoded images by index."""

    count: int
    fetch: Callable[[Sequence[int]], Sequence[Path | bytes]]
    called: Callable[[int], str]  # what to call an image in a message


def survey(images: EncodedImages, form: Form) -> tuple[int, int, int]:
    """The one shape (H, W, C) that all images will have, from their headers alone.

    Raises: InputError naming images that are broken, incomplete or too small, or two that differ in size while `form`
    has none.
    """

    def of_header(item):
        found = _header(item)
        form.refuse_smaller(*found[:2])
        return found

    headers = list(_each(images, np.arange(images.count), of_header))
    if form.size:
        height, width = form.size
    else:
        height, width, _ = headers[0]
        for index, other in enumerate(headers):
            if other[:2] != (height, width):
                raise InputError(
                    f"Images differ in size: {images.called(0)} is {height}x{width}, {images.called(index)} is "
                    f"{other[0]}x{other[1]} (height x width). Set data.size, for example to 64."
                )
    return height, width, form.channels or (1 if all(gray for *_, gray in headers) else 3)


def decode(images: EncodedImages, indices: np.ndarray, form: Form, shape: tuple[int, int, int]) -> np.ndarray:
    """The images of these indices, uint8 [N, *shape], decoded by all cores.

    Raises: InputError naming the images that cannot be decoded.
    """
    out = np.empty((len(indices), *shape), np.uint8)
    for row, x in enumerate(_each(images, indices, lambda item: _pixels(item, form, shape))):
        out[row] = x
    return out


def open_source(
    images: EncodedImages,
    indices: np.ndarray,
    form: Form,
    shape: tuple[int, int, int],
    labels: np.ndarray | None,
    label_names: tuple[str, ...],
    name: str,
    split: str,
    describe: Callable[[], str],
) -> Source:
    """A source over the chosen images: in memory up to IN_MEMORY bytes, else decoded when read.

    `labels` belong to all images; `describe` gives the fingerprint of what is not held in memory.
    """
    labels = None if labels is None else labels[indices].astype(np.int32)
    if len(indices) * prod(shape) <= IN_MEMORY:
        return in_memory(name, split, decode(images, indices, form, shape), labels, label_names)
    return Source(
        name=name,
        split=split,
        size=len(indices),
        shape=shape,
        dtype=np.dtype(np.uint8),
        read=lambda wanted: decode(images, indices[np.asarray(wanted)], form, shape),
        labels=labels,
        label_names=label_names,
        fingerprint=describe(),
    )


def _each(images: EncodedImages, indices: np.ndarray, task: Callable) -> Iterator:
    """task(image) for each index, in order; what fails is left out and ends in one InputError."""
    failed = []
    indices = indices.tolist()
    for chunk in (indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)):
        for index, result in zip(chunk, _pool().map(_attempt(task), images.fetch(chunk)), strict=True):
            if isinstance(result, str):
                failed.append(f"{images.called(index)} ({result})")
            else:
                yield result
    if failed:
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        number = "An image" if len(failed) == 1 else f"{len(failed)} images"
        raise InputError(f"{number} cannot be used: {', '.join(failed[:3])}{more}. Replace or remove them.")


def _attempt(task: Callable) -> Callable:
    from PIL import Image, UnidentifiedImageError

    def run(item: Path | bytes):
        try:
            return task(item)
        except UnidentifiedImageError:
            return "not a PNG, JPEG or WebP image"
        except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
            return getattr(error, "strerror", None) or str(error) or type(error).__name__

    return run


def _open(file: BinaryIO):
    from PIL import Image

    return Image.open(file, formats=("PNG", "JPEG", "WEBP"))


def _stream(item: Path | bytes) -> BinaryIO:
    return BytesIO(item) if isinstance(item, bytes) else open(item, "rb")


def _header(item: Path | bytes) -> tuple[int, int, bool]:
    with _stream(item) as file:
        image = _open(file)
        found = header(image)
        if not _is_whole(file, image.format):
            raise OSError("incomplete file")
        return found


def _pixels(item: Path | bytes, form: Form, shape: tuple[int, int, int]) -> np.ndarray:
    with _stream(item) as file:
        x = pixels(_open(file), form, shape[-1])
    if x.shape != shape:
        raise ValueError(f"is {x.shape[0]}x{x.shape[1]}, not {shape[0]}x{shape[1]}; set data.size")
    return x


def _is_whole(file: BinaryIO, format: str) -> bool:
    """Whether the file has its end, without decoding it. Bytes after the end are allowed, as decoders allow them."""
    size = file.seek(0, os.SEEK_END)
    if format == "WEBP":  # RIFF, then the size of what follows
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
    data, at = file.read(), 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return b"\xff\xd9" in data[at:]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(32, os.cpu_count() or 1), thread_name_prefix="genjax-decode")


def positions_of(bounds: Iterable[tuple[int, int]]) -> np.ndarray:
    """Indices of several slices, one after the other."""
    return np.concatenate([np.arange(start, stop) for start, stop in bounds])
