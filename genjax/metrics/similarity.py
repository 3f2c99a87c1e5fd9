"""Structural similarity of pairs of images, at one scale (SSIM) and at several (MS-SSIM); the diversity of a set.

Sources: Wang et al. 2004 (SSIM), Wang, Simoncelli and Bovik 2003 (MS-SSIM), arXiv:1610.09585, section 4.2 (diversity).
"""

import numpy as np

from genjax.errors import InputError
from genjax.metrics import blocks, checks

WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03
WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
BLOCK = 64  # pairs that are processed at once, if they are small


def ssim(x, y, data_range=1.0):
    """Mean structural similarity of pairs, over an 11 x 11 Gaussian window (std 1.5) wherever it fits.

    Shapes: x, y [N, H, W, C], values at most `data_range` apart -> float64 [N], each in [-1, 1].
    Raises: InputError for other shapes, sides below 11, NaN, or values further apart than `data_range`.
    """
    x, y = _pairs(x, y, data_range)
    return _in_blocks(lambda x, y: _similarity(x, y, data_range)[0].mean(1), x, y)


def ms_ssim_each(x, y, data_range=1.0):
    """Multi-scale structural similarity of each pair: five scales a factor of two apart, with the paper's weights.

    A scale needs 11 x 11 pixels, so five scales need sides of 161. Smaller images have fewer scales, with the first of
    the paper's weights divided by their sum (28 pixels: 2 scales, 32: 2, 64: 3, 128: 4); their values compare only with
    values of images of the same size.
    Paper: real powers of negative structure are undefined; here: it counts as zero, as in TensorFlow.
    Shapes: x, y [N, H, W, C], values at most `data_range` apart -> float64 [N], each in [0, 1].
    Raises: InputError for other shapes, sides below 11, NaN, or values further apart than `data_range`.
    """
    x, y = _pairs(x, y, data_range)
    weights = WEIGHTS[: scales(x.shape[1:3])]
    weights = weights / weights.sum()

    def of_block(x, y):
        product = 1.0
        for scale, weight in enumerate(weights, 1):
            similarity, structure = _similarity(x, y, data_range)
            product *= np.maximum(similarity if scale == len(weights) else structure, 0) ** weight
            x = _halved(x)
            y = _halved(y)
        return product.mean(1)

    return _in_blocks(of_block, x, y)


def ms_ssim(x, y, data_range=1.0):
    """Mean of `ms_ssim_each` over the pairs. Shapes: x, y [N, H, W, C] -> float. Raises: as `ms_ssim_each`."""
    return float(ms_ssim_each(x, y, data_range).mean())


def ms_ssim_diversity(x, pairs=1000, seed=0, data_range=1.0):
    """Mean MS-SSIM of random pairs of one set: 1 if all images are the same, lower the more they differ.

    A pair is two different entries of `x`, drawn uniformly; if there are no more pairs than that, each counts once.
    Shapes: x [N, H, W, C] -> float.
    Raises: InputError for fewer than two images, and as `ms_ssim_each`.
    """
    x = checks.images("x", x, rows=2)
    checks.count("pairs", pairs)
    if len(x) * (len(x) - 1) // 2 <= pairs:
        first, second = np.triu_indices(len(x), 1)
    else:
        rng = np.random.default_rng(seed)
        first = rng.integers(len(x), size=pairs)
        second = (first + rng.integers(1, len(x), size=pairs)) % len(x)
    parts = blocks.slices(len(first), x.shape[1:], BLOCK)
    each = [ms_ssim_each(x[first[part]], x[second[part]], data_range) for part in parts]
    return float(np.concatenate(each).mean())


def scales(size):
    """Number of the five scales that an image of this height and width has."""
    side = min(size)
    count = 0
    while side >= WINDOW and count < len(WEIGHTS):
        side = (side + 1) // 2
        count += 1
    return count


def _pairs(x, y, data_range):
    x, y = checks.images("x", x), checks.images("y", y)
    checks.same_shape("x", x, "y", y)
    if min(x.shape[1:3]) < WINDOW:
        raise InputError(
            f"images of {x.shape[1]}x{x.shape[2]} are smaller than the {WINDOW}x{WINDOW} window: enlarge them."
        )
    low = float(min(x.min(), y.min()))
    high = float(max(x.max(), y.max()))
    if high - low > data_range * (1 + 1e-3):
        raise InputError(
            f"images have values from {low:.4g} to {high:.4g} but data_range is {data_range:g}: "
            "give the width of their range (1 for [0, 1], 2 for [-1, 1], 255 for uint8)."
        )
    return x, y


def _in_blocks(measure, x, y):
    """One number per pair; `measure` gets float64 with channels first."""
    parts = blocks.slices(len(x), x.shape[1:], BLOCK)
    return np.concatenate(
        [measure(*(z[part].transpose(0, 3, 1, 2).astype(np.float64) for z in (x, y))) for part in parts]
    )


def _similarity(x, y, data_range):
    """Means over positions of SSIM and of its contrast-structure factor. Shapes: [N, C, H, W] -> [N, C], [N, C]."""
    c1 = (K1 * data_range) ** 2
    c2 = (K2 * data_range) ** 2
    rows, columns = (_window(n) for n in x.shape[2:])

    def smooth(z):
        return rows @ z @ columns.T

    mean_x = smooth(x)
    mean_y = smooth(y)
    products = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    structure = (2 * (smooth(x * y) - products) + c2) / (smooth(x**2 + y**2) - squares + c2)
    similarity = (2 * products + c1) / (squares + c1) * structure
    return similarity.mean((2, 3)), structure.mean((2, 3))


def _window(n):
    """The Gaussian window at each position of a line where it fits, as a banded matrix [n - 10, n]."""
    taps = np.exp(-((np.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    bands = np.zeros((n - WINDOW + 1, n))
    for place, band in enumerate(bands):
        band[place : place + WINDOW] = taps / taps.sum()
    return bands


def _halved(x):
    """Means of 2 x 2 pixels; an odd side counts its last twice. Shapes: [N, C, H, W] -> [N, C, H / 2, W / 2]."""
    x = np.pad(x, ((0, 0), (0, 0), *((0, n % 2) for n in x.shape[2:])), mode="edge")
    return x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).mean((3, 5))
