"""Flicker of a film: how much its frames differ, and how much they still do along the motion of what they show."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def frame_difference(frames: Sequence[np.ndarray]) -> float:
    """The mean absolute difference of each frame from the one before it, motion included, of pixels from 0 to 1.

    Shapes: frames uint8 [H, W, C].
    """
    return float(np.mean([np.abs(np.float32(y) - np.float32(x)).mean() for x, y in pairwise(frames)])) / 255


def warping_error(frames: Sequence[np.ndarray], flows: Sequence[np.ndarray], masks: Sequence[np.ndarray]) -> float:
    """The root of the mean squared difference of each frame from the one before it moved along the flow, from 0 to 1.

    Pixels where the flow is not trusted do not count; each frame counts alike. Paper: the mean square; here: its root,
    in the unit of pixels. NaN if the flow is trusted nowhere.
    Shapes: frames uint8 [H, W, C]; flows [H, W, 2] from each frame but the first to the one before it; masks [H, W, 1].
    Source: arXiv:1808.00449, section 4: the warping error of its evaluation.
    """
    from genjax.ops.flow import warped

    squares = []
    for (x, y), flow, mask in zip(pairwise(frames), flows, masks, strict=True):
        if known := np.sum(mask) * y.shape[2]:
            apart = np.float32(y) - np.asarray(warped(np.float32(x), flow))
            squares.append(float(np.sum(mask * np.square(apart)) / known))
    return float(np.sqrt(np.mean(squares))) / 255 if squares else float("nan")
