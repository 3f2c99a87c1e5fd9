"""The sliced Wasserstein distance: its pyramid, its projections and what it says of noise."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from genjax.errors import InputError
from genjax.metrics import sliced_wasserstein
from genjax.metrics.wasserstein import DIRECTIONS, distance_of_slices, enlarged, halved, laplacian

RNG = np.random.default_rng(0)
SMOOTH = np.cumsum(np.cumsum(RNG.standard_normal((12, 64, 64, 3)), 1), 2).astype(np.float32)


@pytest.mark.parametrize("size", [(64, 64), (33, 50), (37, 35)])
def test_the_pyramid_adds_up_to_the_image(size):
    x = RNG.random((2, *size, 2), np.float32)
    levels = [laplacian(x, level, 3) for level in range(3)]
    restored = levels[2]
    for level in (levels[1], levels[0]):
        restored = level + enlarged(restored, level.shape[1:3])
    np.testing.assert_allclose(restored, x, atol=1e-6)


def test_halving_and_enlarging_keep_a_constant_and_weigh_as_pascals_triangle():
    flat = np.ones((1, 11, 8, 1), np.float32)
    np.testing.assert_allclose(halved(flat), np.ones((1, 6, 4, 1)), rtol=1e-6)
    np.testing.assert_allclose(enlarged(flat, (21, 16)), np.ones((1, 21, 16, 1)), rtol=1e-6)
    dot = np.zeros((1, 9, 9, 1), np.float32)
    dot[0, 4, 4] = 256
    np.testing.assert_allclose(halved(dot)[0, 1:4, 1:4, 0], np.outer([1, 6, 1], [1, 6, 1]), rtol=1e-6)


def test_projections_are_scipys_wasserstein_distances():
    x, y = RNG.standard_normal((50, 6)), 2 * RNG.standard_normal((50, 6)) + 1
    rng, expected = np.random.default_rng(3), []
    for _ in range(4):
        for direction in rng.standard_normal((DIRECTIONS, 6)):
            direction /= np.linalg.norm(direction)
            expected.append(wasserstein_distance(x @ direction, y @ direction))
    np.testing.assert_allclose(distance_of_slices(x, y, np.random.default_rng(3)), np.mean(expected), rtol=1e-12)


def test_of_a_set_to_itself_is_zero_at_every_level():
    found = sliced_wasserstein(SMOOTH, SMOOTH)
    assert found.levels == {64: 0, 32: 0, 16: 0}
    assert found.mean == 0


def test_it_grows_with_noise_most_at_the_finest_level():
    noise = RNG.standard_normal(SMOOTH.shape)
    found = [sliced_wasserstein(SMOOTH, SMOOTH + amount * noise) for amount in (0.3, 1, 3)]
    assert 0 < found[0].mean < found[1].mean < found[2].mean
    assert found[1].levels[64] > found[1].levels[32] > found[1].levels[16]
    np.testing.assert_allclose(found[0].mean, np.mean(list(found[0].levels.values())))


def test_scale_and_offset_of_the_pixels_do_not_matter():
    x, y = SMOOTH[:6], SMOOTH[6:]
    np.testing.assert_allclose(sliced_wasserstein(x, y).mean, sliced_wasserstein(2 * x + 5, 2 * y + 5).mean, rtol=1e-3)


def test_small_images_have_the_levels_that_fit_and_flat_channels_no_patch():
    x = RNG.random((4, 28, 28, 1))
    assert list(sliced_wasserstein(x, x[::-1]).levels) == [28]
    assert list(sliced_wasserstein(x[:, :9, :11], x[:, :9, :11]).levels) == [9]
    flat = np.full((4, 32, 32, 1), 0.3)
    assert sliced_wasserstein(flat, flat + 0.1).mean == 0


@pytest.mark.parametrize(
    ("real", "fake", "text"),
    [
        (SMOOTH, SMOOTH[:3], r"real \(12, 64, 64, 3\) and fake \(3, 64, 64, 3\): expected equal shapes"),
        (SMOOTH[..., 0], SMOOTH[..., 0], r"real has shape \(12, 64, 64\): expected images \[N, H, W, C\]"),
        (SMOOTH[:, :6], SMOOTH[:, :6], "images of 6x64 have no 7x7 patches"),
        (SMOOTH, SMOOTH * np.nan, "fake has nan"),
    ],
)
def test_bad_input_is_one_sentence(real, fake, text):
    with pytest.raises(InputError, match=text):
        sliced_wasserstein(real, fake)
