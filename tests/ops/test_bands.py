"""The filter of adaptive augmentation: its bank by wavelet identities, its application by SciPy, its draws by chance.

Compared once with the authors' PyTorch code on the same draws: bank 1e-13, images 6e-7 of the largest value.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage, stats

from genjax.ops import ada, bands

KEYS = jax.random.split(jax.random.key(5), 3000)
draw = jax.jit(lambda p: jax.vmap(lambda key: bands.draw_gains(key, p))(KEYS))


def responses(frequencies):
    """Of the symmetric filters, real. Shapes: radians [N] -> [BANDS, N]."""
    bank = bands.filter_bank()
    places = np.arange(bank.shape[1]) - bank.shape[1] // 2
    return bank @ np.cos(places[:, None] * frequencies)


def test_the_bank_is_four_symmetric_filters_whose_sum_is_the_identity():
    bank = bands.filter_bank()
    np.testing.assert_allclose(bank, bank[:, ::-1], atol=1e-14)
    np.testing.assert_allclose(bank.sum(0), np.eye(1, 43, 21)[0], atol=1e-14)


def test_each_filter_passes_its_octave_and_stops_the_others():
    """In the middle of a band, in octaves; "sym2" is short, so that bands overlap."""
    middles = np.pi * np.array([0, 3 / 16, 3 / 8, 1])
    found = responses(middles)
    assert (found.argmax(0) == np.arange(4)).all()
    np.testing.assert_allclose(found[0, 0], 1, atol=1e-14)
    np.testing.assert_allclose(found[3, 3], 1, atol=1e-14)
    assert responses(np.linspace(0, np.pi, 99)).min() > -1e-14


@pytest.mark.parametrize("size", [(48, 30), (9, 16)])
def test_an_image_is_filtered_as_by_scipy(size):
    """Gains of columns and rows multiply; pixels are mirrored without the last one, several times if need be."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(*size, 2)).astype(np.float32)
    gains = np.float32([0.5, 2, 1, 3])
    taps = gains @ bands.filter_bank()
    expected = np.float64(x)
    for axis in (0, 1):
        expected = ndimage.correlate1d(expected, taps, axis, mode="mirror")
    np.testing.assert_allclose(jax.jit(bands.amplify)(x, gains), expected, rtol=1e-4, atol=1e-4)


def test_gains_keep_the_expected_power_and_are_those_of_an_independent_simulation():
    rng = np.random.default_rng(1)
    gains = np.ones((3000, 4))
    for band in range(4):
        once = np.ones((3000, 4))
        once[:, band] = 2 ** rng.normal(size=3000)
        gains *= once / np.sqrt((once**2 * [10 / 13, 1 / 13, 1 / 13, 1 / 13]).sum(1, keepdims=True))
    drawn = np.asarray(draw(1.0))
    for band in range(4):
        assert stats.ks_2samp(drawn[:, band], gains[:, band]).pvalue > 1e-3


def test_a_band_is_amplified_with_its_probability():
    untouched = (np.asarray(draw(0.4)) == 1).all(1).sum()
    assert stats.binomtest(int(untouched), 3000, 0.6**4).pvalue > 1e-3
    assert (np.asarray(draw(0.0)) == 1).all()


@pytest.mark.heavy
@pytest.mark.parametrize("parts", ["filter", "bgcfnc"])
def test_sets_with_the_filter_change_images_and_have_finite_slopes(parts):
    x = np.random.default_rng(2).uniform(-1, 1, (4, 16, 16, 3)).astype(np.float32)
    augment = jax.jit(ada.augment, static_argnames="parts")
    key = jax.random.key(1)
    np.testing.assert_array_equal(augment(x, 0.0, key, parts=parts), x)
    assert (np.abs(augment(x, 1.0, key, parts=parts) - x).max((1, 2, 3)) > 0.01).all()
    slope = jax.grad(lambda x: jnp.sum(augment(x, 1.0, key, parts=parts) ** 2))(x)
    assert np.isfinite(slope).all()
    assert np.any(slope)
