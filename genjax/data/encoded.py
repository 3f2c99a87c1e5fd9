"""Encoded images, in files or a TFDS data set: headers are checked first, pixels decoded at once or when read."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from io import BytesIO
from math import prod
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from genjax.data.deep import decode_deep
from genjax.data.images import AS_STORED, FORMATS, MODES, Form, Header, decode_pixels, read_header
from genjax.data.request import Request
from genjax.data.source import Source, fingerprint, fingerprint_of_text, in_memory
from genjax.errors import InputError
from genjax.text import listed

MAX_IN_MEMORY = 2**30
"""Decoded bytes up to which all images are decoded when the source is opened, which also finds every broken one."""
MAX_DIGESTED = 2**34
"""Bytes of all files up to which each is digested whole; of more, large files are digested in parts (`digests`)."""
LEAST_DIGESTED = 2**16
"""Bytes of a file that are digested in any case."""
THREADS = min(32, os.cpu_count() or 1)
"""Threads that decode images."""
_CHUNK = 1024  # images read at a time, to bound the memory for encoded bytes


@dataclass(frozen=True)
class EncodedImages:
    """Images by index, each a file that Pillow reads."""

    count: int
    files: Callable[[Sequence[int]], Sequence[Path | bytes]]  # indices -> paths or contents of files
    name: Callable[[int], str]  # index -> the image's name in messages
    names: Sequence[str] | None = None  # names that results carry, such as file names; None: their numbers

    def name_of(self, index: int) -> str:
        """The name of an image that results carry."""
        return str(index) if self.names is None else self.names[index]

    def take(self, indices: np.ndarray) -> "EncodedImages":
        """The images of these indices."""
        return EncodedImages(
            count=len(indices),
            files=lambda chosen: self.files([int(indices[index]) for index in chosen]),
            name=lambda index: self.name(int(indices[index])),
            names=None if self.names is None else [self.names[index] for index in indices],
        )


def read_headers(images: EncodedImages, form: Form = AS_STORED) -> list[Header]:
    """The headers of all images. Raises: InputError naming images that are broken, incomplete or too small."""
    return list(_refuse_failures(images, map_images(images, np.arange(images.count), partial(check_header, form=form))))


def common_shape(images: EncodedImages, headers: Sequence[Header], form: Form) -> tuple[int, int, int]:
    """The shape (H, W, C) that all images have once they are brought to a form.

    Raises: InputError naming two images that differ in size if the form has none.
    """
    if form.channels > max(MODES):
        raise InputError(f"data.channels is {form.channels}, but image files have 1 to 4 channels: leave it at 0")
    if form.size:
        height, width = form.size
    else:
        height, width = headers[0][:2]
        for index, (h, w, *_) in enumerate(headers):
            if (h, w) != (height, width):
                raise InputError(
                    f"Images differ in size: {images.name(0)} is {height}x{width}, {images.name(index)} is "
                    f"{h}x{w} (height x width). Set data.size, for example to 64."
                )
    return height, width, form.channels or (1 if all(header.gray for header in headers) else 3)


def find_broken(images: EncodedImages, form: Form) -> dict[int, str]:
    """The images that cannot be decoded and brought to a form: index -> reason. Decodes all."""

    def check(file: Path | bytes) -> None:
        check_header(file, form)
        _decode(file, form, form.channels or 3)

    results = map_images(images, np.arange(images.count), check)
    return {index: result.reason for index, result in enumerate(results) if isinstance(result, Failure)}


def largest_value(images: EncodedImages, indices: Sequence[int]) -> float:
    """The largest value in the files of these gray images; those that are broken are left out."""

    def largest(file: Path | bytes) -> float:
        return float(open_decoded(file, np.asarray).max())

    values = map_images(images, np.array(indices), largest)
    return max((value for value in values if not isinstance(value, Failure)), default=0.0)


def digests(images: EncodedImages, indices: np.ndarray) -> Iterator[str]:
    """The SHA-256 in hex of the files of these images; of large files of very many, of three parts and the size.

    The parts are the first, the middle and the last, where a PNG has the checksum of all pixels. Names and dates do
    not count.
    Raises: InputError, naming the files that cannot be read.
    """
    limit = max(LEAST_DIGESTED, MAX_DIGESTED // len(indices))

    def digest(file: Path | bytes) -> str:
        with _stream(file) as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            if size <= limit:
                return hashlib.file_digest(stream, "sha256").hexdigest()
            return _digest_of_parts(stream, size, limit // 3)

    return _refuse_failures(images, map_images(images, indices, digest), indices)


def _digest_of_parts(file: BinaryIO, size: int, part: int) -> str:
    content = hashlib.sha256(str(size).encode())
    for start in (0, (size - part) // 2, size - part):
        file.seek(start)
        for done in range(0, part, 2**20):
            content.update(file.read(min(2**20, part - done)))
    return content.hexdigest()


def decode_images(images: EncodedImages, indices: np.ndarray, form: Form, shape: tuple[int, int, int]) -> np.ndarray:
    """The images of these indices, decoded on all cores. Shapes: indices [N] -> [N, *shape] of form.dtype.

    Raises: InputError naming the images that cannot be decoded.
    """

    def decode(file: Path | bytes) -> np.ndarray:
        x = _decode(file, form, shape[-1])
        if x.shape != shape:
            raise ValueError(f"is {x.shape[0]}x{x.shape[1]}, not {shape[0]}x{shape[1]}; set data.size")
        return x

    out = np.empty((len(indices), *shape), form.dtype)
    for row, x in enumerate(_refuse_failures(images, map_images(images, indices, decode), indices)):
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

    `labels` are those of all images; `describe` returns the fingerprint of images that are not held in memory, to which
    that of their labels is added.
    """
    labels = None if labels is None else labels[indices].astype(np.int32)
    names = None if images.names is None else [images.names[index] for index in indices]
    if len(indices) * prod(shape) * request.form.dtype.itemsize <= MAX_IN_MEMORY:
        x = decode_images(images, indices, request.form, shape)
        return replace(in_memory(request.name, request.split, x, labels, label_names), names=names)
    return Source(
        name=request.name,
        split=request.split,
        size=len(indices),
        shape=shape,
        dtype=request.form.dtype,
        read=lambda positions: decode_images(images, indices[np.asarray(positions)], request.form, shape),
        labels=labels,
        label_names=label_names,
        fingerprint=describe() if labels is None else fingerprint_of_text([describe(), fingerprint(labels, None)]),
        names=names,
    )


def concatenate_ranges(bounds: Iterable[tuple[int, int]]) -> np.ndarray:
    """The whole numbers of several ranges (start, stop), one range after another."""
    return np.concatenate([np.arange(start, stop) for start, stop in bounds])


class Failure(NamedTuple):
    """The reason why a file cannot be used."""

    reason: str


def map_images(images: EncodedImages, indices: np.ndarray, task: Callable) -> Iterator:
    """task(file) of the images of these indices, in order; a Failure in place of each exception."""
    indices = indices.tolist()
    for start in range(0, len(indices), _CHUNK):
        yield from pool().map(_attempt(task), images.files(indices[start : start + _CHUNK]))


def _refuse_failures(images: EncodedImages, results: Iterable, indices: Iterable[int] | None = None) -> Iterator:
    """The results, in order. Raises: InputError at the end, naming the images of which one is a Failure."""
    failed = []
    for index, result in zip(range(images.count) if indices is None else indices, results, strict=True):
        if isinstance(result, Failure):
            failed.append(f"{images.name(int(index))} ({result.reason})")
        else:
            yield result
    if failed:
        number = "An image" if len(failed) == 1 else f"{len(failed)} images"
        every = "; python -m genjax.census names all of them" if len(failed) > 3 else ""
        raise InputError(
            f"{number} cannot be used: {listed(failed)}. Replace or remove them, or set data.skip_broken=True{every}."
        )


def _attempt(task: Callable) -> Callable:
    """The task, with a Failure as its result in place of an exception."""
    from PIL import UnidentifiedImageError

    def run(file: Path | bytes):
        try:
            return task(file)
        except UnidentifiedImageError:
            size = len(file) if isinstance(file, bytes) else file.stat().st_size
            return Failure("not an image that Pillow reads" if size else "no contents")
        except Exception as error:  # Pillow's decoders raise anything for damaged files
            text = getattr(error, "strerror", None) or str(error).partition("\n")[0]
            return Failure(text[:200] or type(error).__name__)

    return run


def _open(file: BinaryIO):
    from PIL import Image

    return Image.open(file, formats=tuple(FORMATS))


def _stream(file: Path | bytes) -> BinaryIO:
    return BytesIO(file) if isinstance(file, bytes) else open(file, "rb")


def check_header(file: Path | bytes, form: Form = AS_STORED) -> Header:
    """The header of an image's file. Raises: anything, for one that is broken, incomplete or too small for a form."""
    with _stream(file) as stream:
        image = _open(stream)
        header = read_header(image)
        if header.format not in _ENDS:
            image.load()
        elif not _is_whole(stream, header.format):
            raise OSError("incomplete file")
    form.refuse_smaller(header.height, header.width)
    return header


def open_decoded(file: Path | bytes, decode: Callable) -> np.ndarray:
    """decode(image) of a file's PIL image. Raises: anything, for one that is broken."""
    with _stream(file) as stream:
        return decode(_open(stream))


def _decode(file: Path | bytes, form: Form, channels: int) -> np.ndarray:
    decode = decode_deep if form.bits == 16 else decode_pixels
    return open_decoded(file, partial(decode, form=form, channels=channels))


_ENDS = ("PNG", "JPEG", "WEBP")
"""Formats whose files show whether they are complete; others are decoded to see."""


_PNG_END = b"IEND\xaeB`\x82"


def _is_whole(file: BinaryIO, format: str) -> bool:
    """Whether the file is complete, without decoding it. Bytes after its end are allowed, as decoders allow them."""
    size = file.seek(0, os.SEEK_END)
    if format == "WEBP":  # RIFF, then the size of the rest
        file.seek(4)
        return size >= 8 + int.from_bytes(file.read(4), "little")
    file.seek(max(0, size - 4096))
    tail = file.read()
    if format == "PNG":
        file.seek(0)
        return _PNG_END in tail or _PNG_END in file.read()
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
def pool() -> ThreadPoolExecutor:
    """The threads that decode images."""
    warnings.filterwarnings("ignore", module=r"PIL\b")  # of large images, and of damage that does not reach the pixels
    return ThreadPoolExecutor(THREADS, thread_name_prefix="genjax-decode")
