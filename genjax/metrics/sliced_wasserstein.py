"""Sliced Wasserstein distance between the patches of two sets of images, level by level of a Laplacian pyramid.

Source: arXiv:1710.10196, section 5. High levels speak of shapes, low ones of texture and noise.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import correlate1d

from genjax.errors import InputError
from genjax.metrics import checks

PATCH, PATCHES = 7, 128  # pixels a side, and how many an image
REPEATS, DIRECTIONS = 4, 128
SMALLEST = 16  # the shorter side of the last level
BLOCK = 128  # images whose pyramids are in memory at once
TAPS = np.array([1, 4, 6, 4, 1], np.float32) / 16


class SlicedWasserstein(NamedTuple):
    """The distance x 1000 of each level, by its shorter side in pixels, and their mean."""

    levels: dict[int, float]
    mean: float


def sliced_wasserstein(real, fake, seed=0):
    """Mean distance of the sorted projections of 7 x 7 patches on 512 random directions, x 1000.

    128 patches an image and level; levels halve the image while its shorter side stays at least 16 pixels, and
    there is always one. Each set's patches are normalized by their own mean and standard deviation of each channel.
    Paper: patches at random places; here: the same places in both sets, so that a set's distance to itself is zero.
    Shapes: real, fake [N, H, W, C] of any one scale, as many of each -> SlicedWasserstein.
    Raises: InputError for sets of different shapes, sides below 7, or NaN.
    """
    real, fake = checks.images("real", real), checks.images("fake", fake)
    if real.shape != fake.shape:
        raise InputError(f"real {real.shape} and fake {fake.shape}: expected as many images of one shape; cut one.")
    if min(real.shape[1:3]) < PATCH:
        raise InputError(f"images of {real.shape[1]}x{real.shape[2]} have no {PATCH}x{PATCH} patches: enlarge them.")
    distances = {}
    sizes = _sizes(real.shape[1:3])
    for level, size in enumerate(sizes):
        rng = np.random.default_rng((seed, level))
        places = [rng.integers(n - PATCH + 1, size=(len(real), PATCHES)) for n in size]
        descriptors = [_normalized(_patches(x, level, len(sizes), *places)) for x in (real, fake)]
        distances[min(size)] = 1e3 * distance_of_slices(*descriptors, rng)
    return SlicedWasserstein(distances, float(np.mean(list(distances.values()))))


def distance_of_slices(x, y, rng):
    """Mean over random directions of the 1-Wasserstein distance of two clouds. Shapes: [N, D], [N, D] -> float."""
    total = 0.0
    for _ in range(REPEATS):
        directions = rng.standard_normal((DIRECTIONS, x.shape[1]))
        directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(x.dtype)
        ours, theirs = (np.sort(directions @ z.T) for z in (x, y))
        total += np.abs(ours - theirs).mean(dtype=np.float64)
    return float(total / REPEATS)


def laplacian(x, level, levels):
    """What halving loses of `x` halved so often, or what is left at the last of the levels.

    Adding to each level the enlarged next, from the last on, restores `x`.
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
    """Twice the size, smooth between the pixels, cut to `size`. Shapes: [N, H, W, C] -> [N, *size, C]."""
    wide = np.zeros((len(x), 2 * x.shape[1], 2 * x.shape[2], x.shape[3]), x.dtype)
    wide[:, ::2, ::2] = x
    return 4 * _blurred(_blurred(wide, 1), 2)[:, : size[0], : size[1]]


def _blurred(x, axis):
    return correlate1d(x, TAPS, axis, mode="mirror")


def _sizes(size):
    sizes = [size]
    while (min(sizes[-1]) + 1) // 2 >= SMALLEST:
        sizes.append(tuple((n + 1) // 2 for n in sizes[-1]))
    return sizes


def _patches(x, level, levels, tops, lefts):
    """Patches of one level. Shapes: [N, H, W, C], two int [N, 128] -> float32 [N * 128, C, 7, 7]."""
    found = np.empty((*tops.shape, x.shape[3], PATCH, PATCH), np.float32)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        images = laplacian(x[rows], level, levels)
        windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), (1, 2))
        found[rows] = windows[np.arange(len(images))[:, None], tops[rows], lefts[rows]]
    return found.reshape(-1, *found.shape[2:])


def _normalized(patches):
    """Each channel to mean 0 and standard deviation 1 over all patches; a constant one to 0. -> [N, C * 49]."""
    mean, std = (statistic(patches, (0, 2, 3), np.float64, keepdims=True) for statistic in (np.mean, np.std))
    patches -= mean.astype(np.float32)
    patches /= np.where(std > 1e-6 * np.abs(mean), std, np.inf).astype(np.float32)
    return patches.reshape(len(patches), -1)
