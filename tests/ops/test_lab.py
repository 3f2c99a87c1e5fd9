"""CIE L*a*b*: published values, scikit-image's, the inverse, grays."""

import jax.numpy as jnp
import numpy as np
import pytest

from genjax.ops import lab

COLORS = np.random.default_rng(0).uniform(size=(2_000, 3)) ** np.linspace(0.5, 4, 2_000)[:, None]
"""Many of them nearly black, where the curves are straight."""


def test_the_primaries_have_the_published_values():
    """Those of sRGB's red, green and blue under D65, as color calculators print them (brucelindbloom.com)."""
    expected = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]]
    np.testing.assert_allclose(lab.from_srgb(np.eye(3)), expected, atol=0.01)


def test_colors_are_those_of_scikit_image():
    """Whose white is rounded to five digits: differences of up to 0.005."""
    color = pytest.importorskip("skimage.color")
    np.testing.assert_allclose(lab.from_srgb(COLORS), color.rgb2lab(COLORS), atol=0.006)


def test_the_way_back_is_the_inverse_and_float32_is_close():
    there = lab.from_srgb(COLORS)
    np.testing.assert_allclose(lab.to_srgb(there), COLORS, atol=1e-12)
    np.testing.assert_allclose(lab.from_srgb(jnp.float32(COLORS)), there, atol=2e-3)
    np.testing.assert_allclose(lab.to_srgb(jnp.float32(there)), COLORS, atol=2e-5)


def test_colors_beyond_srgb_are_clipped():
    found = lab.to_srgb(np.array([[50.0, 110.0, 0.0], [100.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    assert (found >= 0).all()
    assert (found <= 1).all()
    assert found[0].tolist()[:2] == pytest.approx([0.9, 0], abs=0.1)
    np.testing.assert_allclose(found[1:], [[1] * 3, [0] * 3], atol=1e-9)


def test_grays_have_no_color_and_white_is_100():
    gray = np.linspace(0, 1, 101)
    found = lab.from_srgb(np.stack([gray] * 3, -1))
    np.testing.assert_allclose(found[:, 1:], 0, atol=1e-12)
    np.testing.assert_allclose(found[:, 0], lab.lightness(gray), atol=1e-12)
    assert found[-1, 0] == pytest.approx(100)
    assert lab.lightness(np.array(0.5)) == pytest.approx(53.39, abs=0.01)  # published as 53.4


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_gray_of_a_color_has_its_lightness_to_half_a_level(dtype):
    white = np.iinfo(dtype).max
    x = np.random.default_rng(1).integers(0, white + 1, (5_000, 3)).astype(dtype)
    gray = lab.gray_of(x)
    assert gray.dtype == dtype
    assert gray.shape == (5_000, 1)
    wanted = lab.from_srgb(x / white)[:, 0]
    below, above = (lab.lightness(np.clip((gray[:, 0] + step) / white, 0, 1)) for step in (-0.501, 0.501))
    tolerance = 100 * 2**-16  # of weights in 65536ths
    assert (below <= wanted + tolerance).all()
    assert (wanted <= above + tolerance).all()
    levels = np.arange(white + 1).astype(dtype)
    np.testing.assert_array_equal(lab.gray_of(np.stack([levels] * 3, -1))[:, 0], levels)
