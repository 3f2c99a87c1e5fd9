"""Tiles of a translation: away from seams the whole image's, faded in between, each pixel once."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.translation import _check_tiles, tiled


def blurred(x):
    """A net with a receptive field of 4 pixels to each side and a grid of 4: means of blocks, repeated, and of 3x3."""
    x = np.float64(x)
    means = x.reshape(len(x) // 4, 4, x.shape[1] // 4, 4, -1).mean((1, 3)).repeat(4, 0).repeat(4, 1)
    padded = np.pad(means, [(1, 1), (1, 1), (0, 0)])
    return sum(padded[i : i + len(x), j : j + x.shape[1]] for i in range(3) for j in range(3)) / 9 + x


@pytest.mark.parametrize(("size", "tile", "overlap"), [((64, 40), 16, 4), ((60, 16), 24, 8), ((16, 16), 32, 8)])
def test_pixels_outside_overlaps_are_those_of_the_whole_image(size, tile, overlap):
    x = np.random.default_rng(0).integers(0, 256, (*size, 2))
    found, whole = tiled(blurred, x, tile, overlap), blurred(x)
    assert found.dtype == np.float32

    def clear(side):
        """Pixels at least `overlap` from each inner border of a tile that holds them."""
        starts = [*range(0, max(side - tile, 0), tile - overlap), max(side - tile, 0)]
        pixel = np.arange(side)
        inner = [(s, min(s + tile, side)) for s in starts]
        holds = [(pixel >= a) & (pixel < b) for a, b in inner]
        far = [((a == 0) | (pixel - a >= overlap)) & ((b == side) | (b - 1 - pixel >= overlap)) for a, b in inner]
        return np.all([~hold | away for hold, away in zip(holds, far, strict=True)], 0)

    away = clear(size[0])[:, None] & clear(size[1])[None]
    assert away.mean() > 0.15
    np.testing.assert_allclose(found[away], whole[away], rtol=1e-6)
    if max(size) > tile:
        assert np.abs(found - whole).max() > 0.1  # at seams a tile's own border shows


def test_seams_fade_linearly():
    """Tiles of constant values, in order of their calls: the weights of two neighbors are those of their distance."""
    values = iter((0.0, 1.0, 2.0))
    y = tiled(lambda x: np.full((*x.shape[:2], 1), next(values)), np.zeros((8, 20, 1)), 8, 2)[0, :, 0]
    np.testing.assert_allclose(y, [0] * 6 + [0.25, 0.75] + [1] * 4 + [1.25, 1.75] + [2] * 6, atol=1e-6)


@pytest.mark.parametrize(("tile", "overlap"), [(6, 0), (2, 0), (16, 2), (16, 12), (0, 4), (-8, 0), (16, -4)])
def test_tiles_that_do_not_fit_the_net_are_refused(tile, overlap):
    with pytest.raises(
        InputError, match=f"--tile={tile} --overlap={overlap}: expected multiples of 4.*such as --tile="
    ):
        _check_tiles(tile, overlap, 4)


def test_tiles_that_fit_are_taken():
    for tile, overlap in ((0, 0), (16, 0), (16, 8), (4, 0)):
        _check_tiles(tile, overlap, 4)
