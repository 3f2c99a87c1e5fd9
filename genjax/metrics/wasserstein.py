"""Sliced Wasserstein distance between the patches of two sets of images, level by level of a Laplacian pyramid.

Source: arXiv:1710.10196, section 5. Large images of the pyramid show texture and noise, small ones shapes.
"""

from typing import NamedTuple

import numpy as np

from genjax.errors import InputError
from genjax.metrics import blocks, checks

PATCH = 7  # pixels, the side of a patch
PATCHES = 128  # per image
REPEATS = 4
DIRECTIONS = 128
SMALLEST = 16  # pixels, the shorter side of the last level
BLOCK = 128  # images whose pyramids are in memory at once, if they are small
TAPS = np.array([1, 4, 6, 4, 1], np.float32) / 16


class SlicedWasserstein(NamedTuple):
    """The distance x 1000 of each level, by the shorter side of the level in pixels, and their mean."""

    levels: dict[int, float]
    mean: float


def sliced_wasserstein(real, fake, seed=0):
    """Mean distance of the sorted projections of 7 x 7 patches on 512 random directions, x 1000.

    128 patches per image and level. Levels halve the image while its shorter side stays at least 16 pixels; there is
    always at least one. The patches of each set are normalized by the mean and standard deviation of each channel.
    Paper: patches at random positions; here: the same positions in both sets, so that the distance of a set to itself
    is zero.
    Shapes: real, fake [N, H, W, C], the same N, values on any one scale -> SlicedWasserstein.
    Raises: InputError for sets of different shapes, sides below 7, or NaN.
    """
    real, fake = checks.images("real", real), checks.images("fake", fake)
    if real.shape != fake.shape:
        raise InputError(f"real {real.shape} and fake {fake.shape}: expected equal shapes; cut the larger set.")
    if min(real.shape[1:3]) < PATCH:
        raise InputError(f"images of {real.shape[1]}x{real.shape[2]} have no {PATCH}x{PATCH} patches: enlarge them.")
    distances = {}
    sizes = _sizes(real.shape[1:3])
    for level, size in enumerate(sizes):
        rng = np.random.default_rng((seed, level))
        corners = [rng.integers(n - PATCH + 1, size=(len(real), PATCHES)) for n in size]
        descriptors = [_normalized(_patches(x, level, len(sizes), *corners)) for x in (real, fake)]
        distances[min(size)] = 1e3 * distance_of_slices(*descriptors, rng)
    return SlicedWasserstein(distances, float(np.mean(list(distances.values()))))


def distance_of_slices(x, y, rng):
    """Mean over random directions of the 1-Wasserstein distance of two clouds. Shapes: [N, D], [N, D] -> float."""
    total = 0.0
    for _ in range(REPEATS):
        directions = rng.standard_normal((DIRECTIONS, x.shape[1]))
        directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(x.dtype)
        sorted_x, sorted_y = (np.sort(directions @ z.T) for z in (x, y))
        total += np.abs(sorted_x - sorted_y).mean(dtype=np.float64)
    return float(total / REPEATS)


def laplacian(x, level, levels):
    """One level of the Laplacian pyramid: the detail that halving loses, or the image itself at the last level.

    Enlarging the last level and adding the one before, down to level 0, restores `x`.
    Shapes: [N, H, W, C] -> float32 [N, H / 2^level, W / 2^level, C], sides rounded up.
    """
    x = x.astype(np.float32)
    for _ in range(level):
        x = halved(x)
    return x if level == levels - 1 else x - enlarged(halved(x), x.shape[1:3])


def halved(x):
    """Every second pixel of the blurred image. Shapes: [N, H, W, C] -> [N, H / 2, W / 2, C], rounded up."""
    return _blurred(_blurred(x, 1)[:, ::2], 2)[:, :, ::2]


def enlarged(x, size):
    """Images of twice the size, smooth between the pixels, cropped to `size`. Shapes: [N, H, W, C] -> [N, *size, C]."""
    spread = np.zeros((len(x), 2 * x.shape[1], 2 * x.shape[2], x.shape[3]), x.dtype)
    spread[:, ::2, ::2] = x
    return 4 * _blurred(_blurred(spread, 1), 2)[:, : size[0], : size[1]]


def _blurred(x, axis):
    from scipy.ndimage import correlate1d

    return correlate1d(x, TAPS, axis, mode="mirror")


def _sizes(size):
    sizes = [size]
    while (min(sizes[-1]) + 1) // 2 >= SMALLEST:
        sizes.append(tuple((n + 1) // 2 for n in sizes[-1]))
    return sizes


def _patches(x, level, levels, tops, lefts):
    """Patches of one level. Shapes: [N, H, W, C], two int [N, 128] -> float32 [N * 128, C, 7, 7]."""
    patches = np.empty((*tops.shape, x.shape[3], PATCH, PATCH), np.float32)
    for rows in blocks.slices(len(x), x.shape[1:], BLOCK):
        images = laplacian(x[rows], level, levels)
        windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), (1, 2))
        patches[rows] = windows[np.arange(len(images))[:, None], tops[rows], lefts[rows]]
    return patches.reshape(-1, *patches.shape[2:])


def _normalized(patches):
    """Patches with mean 0 and deviation 1 per channel, or 0 if constant. Shapes: [N, C, 7, 7] -> [N, C * 49]."""
    mean, std = (statistic(patches, (0, 2, 3), np.float64, keepdims=True) for statistic in (np.mean, np.std))
    patches -= mean.astype(np.float32)
    patches /= np.where(std > 1e-6 * np.abs(mean), std, np.inf).astype(np.float32)
    return patches.reshape(len(patches), -1)
