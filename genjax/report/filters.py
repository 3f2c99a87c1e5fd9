"""First-layer filters: what each unit looks for in a picture."""

import math

import numpy as np

from genjax.errors import InputError
from genjax.report.figures import COMFORTABLE, grid

MOST = 100


def draw(kernel, shape: tuple[int, int, int]):
    """A grid of filters, grey where a weight is zero, each brought to full contrast; the largest `MOST` by norm.

    Shapes: kernel [H * W * C, units] of a dense layer or [h, w, C, units] of a convolution; shape (H, W, C).
    Raises: InputError for another kernel.
    """
    pictures = to_pictures(kernel, shape)
    if len(pictures) > MOST:
        norms = np.linalg.norm(pictures.reshape(len(pictures), -1), axis=1)
        pictures = pictures[np.sort(np.argsort(-norms, kind="stable")[:MOST])]
    columns = math.ceil(math.sqrt(len(pictures)))
    scale = max(1, min(24, COMFORTABLE // (columns * max(pictures.shape[1:3]))))
    return grid(normalised(pictures).repeat(scale, 1).repeat(scale, 2), columns, pad=4, scale=1)


def to_pictures(kernel, shape: tuple[int, int, int]) -> np.ndarray:
    """Each unit's weights as a picture. Shapes: see `draw` -> [units, h, w, C]."""
    kernel = np.asarray(kernel, np.float32)
    if kernel.ndim == 2 and len(kernel) == math.prod(shape):
        return kernel.T.reshape(-1, *shape)
    if kernel.ndim != 4 or kernel.shape[2] != shape[2]:
        raise InputError(
            f"filters of pictures {list(shape)}: expected a dense or a convolution's kernel of them; got "
            f"{list(kernel.shape)}"
        )
    return np.moveaxis(kernel, 3, 0)


def normalised(pictures) -> np.ndarray:
    """Weights as pixels: 0 to the middle grey, each filter's largest size to black or white. Shapes: kept, uint8."""
    largest = np.abs(pictures).max((1, 2, 3), keepdims=True)
    return np.rint(127.5 + 127.5 * pictures / np.where(largest, largest, 1)).astype(np.uint8)
