"""Filters of the first layer, one image per unit."""

import math

import numpy as np

from genjax.errors import InputError
from genjax.report.display import tiled
from genjax.report.figures import COMFORTABLE, grid

MAX_FILTERS = 100


def draw(kernel, shape: tuple[int, int, int]):
    """A grid of filters, gray for zero, each scaled to full contrast; at most the `MAX_FILTERS` largest by norm.

    Shapes: kernel [H * W * C, units] of a dense layer, or [h, w, C, units] of a convolution; shape (H, W, C).
    Raises: InputError for another kernel.
    """
    images = to_images(kernel, shape)
    if len(images) > MAX_FILTERS:
        norms = np.linalg.norm(images.reshape(len(images), -1), axis=1)
        images = images[np.sort(np.argsort(-norms, kind="stable")[:MAX_FILTERS])]
    images = images if shape[2] in (1, 3) else tiled(images)
    columns = math.ceil(math.sqrt(len(images)))
    scale = max(1, min(24, COMFORTABLE // (columns * max(images.shape[1:3]))))
    return grid(normalized(images).repeat(scale, 1).repeat(scale, 2), columns, pad=4, scale=1)


def to_images(kernel, shape: tuple[int, int, int]) -> np.ndarray:
    """The weights of each unit as an image. Shapes: see `draw` -> [units, h, w, C]."""
    kernel = np.asarray(kernel, np.float32)
    if kernel.ndim == 2 and len(kernel) == math.prod(shape):
        return kernel.T.reshape(-1, *shape)
    if kernel.ndim != 4 or kernel.shape[2] != shape[2]:
        raise InputError(
            f"filters of images {list(shape)}: expected a dense or a convolution's kernel of them; got "
            f"{list(kernel.shape)}"
        )
    return np.moveaxis(kernel, 3, 0)


def normalized(images) -> np.ndarray:
    """Weights as pixels: 0 is middle gray, the largest weight of each filter black or white. Shapes: kept, uint8."""
    largest = np.abs(images).max((1, 2, 3), keepdims=True)
    return np.rint(127.5 + 127.5 * images / np.where(largest, largest, 1)).astype(np.uint8)
