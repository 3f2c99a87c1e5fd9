"""The images of a style transfer: content, styles and masks from files, their digests, and their sizes."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from genjax import data
from genjax.data.folder import open_image, size_of_image
from genjax.data.source import fingerprint
from genjax.errors import InputError
from genjax.files import expand
from genjax.ops.resize import bilinear

SMALLEST_STYLE = 16
"""The smallest height and width of a style image, in pixels."""


class Carried(NamedTuple):
    """The part of the last result that the next frame of a film takes over.

    Shapes: image float32 [H, W, 3], the last result, moved to where things are now, from 0 to 255; known float32
    [H, W, 1], 1 where it shows what the frame shows, otherwise 0.
    """

    image: np.ndarray
    known: np.ndarray


class Images(NamedTuple):
    """The images of a transfer.

    Shapes: content uint8 [H, W, 3]; styles float32 [h, w, 3] from 0 to 255; masks float32 [H, W, 3] from 0 to 1.
    """

    content: np.ndarray
    styles: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...]
    carried: Carried | None = None  # None: of an image alone


def read_images(c: ConfigDict, shape: tuple[int, ...]) -> Images:
    """The images that a config names. Raises: InputError if one is missing or broken, or if there are two contents."""
    return Images(_read_content(c), *read_styles(c, shape))


def _read_content(c: ConfigDict) -> np.ndarray:
    source = data.load(c.data)
    if source.size != 1:
        raise InputError(
            f"data.name={c.data.name} has {source.size:,} images: expected one, the content, "
            "as with data.name=image:FILE or data.split='train[:1]'"
        )
    return source.read([0])[0]


def read_styles(c: ConfigDict, shape: tuple[int, ...]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """The styles and masks that a config names, for a content of a shape; as in Images. Raises: InputError."""
    longest = max(shape[:2]) * c.style.scale
    sizes = [size_of_image(path) for path in c.style.images]
    sizes = [scaled_size(size, longest / max(size)) for size in sizes]
    styles = (_read(path, size) for path, size in zip(c.style.images, sizes, strict=True))
    masks = (_read(path, shape[:2]) / 255 for path in c.style.masks)
    return tuple(styles), tuple(masks)


def digests(c: ConfigDict, images: Images) -> dict[str, str]:
    """SHA-256 of the content's pixels and of the files of styles and masks, by name."""
    paths = (*c.style.images, *c.style.masks)
    files = {path: hashlib.sha256(Path(expand(path)).read_bytes()).hexdigest() for path in paths}
    return {c.data.name: fingerprint(images.content, None), **files}


def scaled_size(size: tuple[int, ...], ratio: float) -> tuple[int, ...]:
    """A size times a ratio, rounded, and at least SMALLEST_STYLE."""
    return tuple(max(SMALLEST_STYLE, round(n * ratio)) for n in size)


def resized(x, size: tuple[int, ...]):
    """An image at another size. Shapes: [H, W, 3] -> [*size, 3]."""
    return x if x.shape[:2] == tuple(size) else bilinear(x[None], size)[0]


def _read(path: str, size: tuple[int, int]) -> np.ndarray:
    return np.float32(open_image(path, size).read([0])[0])
