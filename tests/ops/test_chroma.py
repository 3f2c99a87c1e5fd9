"""Colors kept: against the definition of YIQ, and the statistics that are asked for."""

import colorsys

import numpy as np

from genjax.ops.chroma import luma, match_colors, match_luma, with_luma


def image(seed, size=(8, 9, 3)):
    rng = np.random.default_rng(seed)
    return rng.uniform(size=size) @ rng.uniform(0.1, 1, (3, 3)) / 3


def test_luma_is_the_y_of_yiq():
    """Python's own colorsys rounds its three numbers to two digits."""
    x = image(0)
    expected = [colorsys.rgb_to_yiq(*pixel)[0] for pixel in x.reshape(-1, 3)]
    np.testing.assert_allclose(np.asarray(luma(x)).ravel(), expected, atol=2e-3)


def test_with_luma_keeps_i_and_q():
    x, light = image(0), image(1)[..., :1]
    y = np.asarray(with_luma(x, light))
    np.testing.assert_allclose(luma(y), light, atol=1e-6)
    yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])  # of BT.601, three digits
    np.testing.assert_allclose((y @ yiq.T)[..., 1:], (x @ yiq.T)[..., 1:], atol=1e-3)


def test_match_colors_has_the_mean_and_the_covariance_of_the_other():
    x, like = image(0), image(1, (5, 20, 3))
    y = np.asarray(match_colors(x, like)).reshape(-1, 3)
    np.testing.assert_allclose(y.mean(0), like.reshape(-1, 3).mean(0), atol=1e-5)
    np.testing.assert_allclose(np.cov(y.T, bias=True), np.cov(like.reshape(-1, 3).T, bias=True), atol=1e-5)
    np.testing.assert_allclose(match_colors(x, x), x, atol=1e-4)


def test_match_colors_of_a_gray_image_is_finite():
    gray = np.repeat(image(0)[..., :1], 3, -1)
    assert np.isfinite(match_colors(gray, image(1))).all()
    assert np.isfinite(match_colors(np.full((4, 4, 3), 0.5), image(1))).all()
    assert np.isfinite(match_colors(image(1), gray)).all()


def test_match_luma_has_the_mean_and_the_deviation_of_the_others():
    x, like = image(0), image(1)
    y = np.asarray(match_luma(x, like))
    np.testing.assert_allclose([y.mean(), y.std()], [luma(like).mean(), luma(like).std()], rtol=1e-4)
