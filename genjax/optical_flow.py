"""The motion between two frames of a film, by OpenCV (pip install opencv-python-headless).

The method is DIS, dense inverse search (arXiv:1603.03590): milliseconds per frame on a CPU, from a library that is kept
and has wheels for every system. docs/style.md has its error beside those of others.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from genjax.errors import need, optional
from genjax.ops.flow import consistency

USER = "the flow of a film's frames"
SMALLEST = 12
"""Pixels of the shorter side, below which the method finds nothing."""


class Motion(NamedTuple):
    """The motion into a frame. Shapes: back float32 [H, W, 2], to the frame before; known float32 [H, W, 1], 0 or 1."""

    back: np.ndarray
    known: np.ndarray


def need_opencv() -> None:
    """Raises: InputError where OpenCV is not installed."""
    need("cv2", USER)


def flow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The motion of the points of x to their places in y, to the right and down.

    Shapes: uint8 [H, W, 3] twice -> float32 [H, W, 2].
    Raises: InputError without OpenCV.
    """
    cv2 = optional("cv2", USER)
    gray = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in (x, y)]
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*gray, None)


def motions(frames: Sequence[np.ndarray]) -> list[Motion]:
    """The motion into each frame but the first. Shapes: frames uint8 [H, W, 3]. Raises: InputError without OpenCV."""
    results = []
    for x, y in pairwise(frames):
        back = flow(y, x)
        results.append(Motion(back, np.asarray(consistency(back, flow(x, y)))))
    return results
