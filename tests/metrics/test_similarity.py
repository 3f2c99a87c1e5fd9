"""What compares images in pairs: structural similarity at its ends, and reconstruction errors by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from genjax.errors import InputError
from genjax.losses.reconstruction import bce as bce_of_logits
from genjax.metrics import bce, ms_ssim, ms_ssim_diversity, ms_ssim_each, mse, psnr, rounded_accuracy, ssim
from genjax.metrics.similarity import scales

RNG = np.random.default_rng(0)
X = RNG.random((5, 48, 40, 3))
NOISE = RNG.random(X.shape)


@pytest.mark.parametrize("measure", [ssim, ms_ssim_each])
def test_of_identical_images_is_one_and_falls_with_noise(measure):
    np.testing.assert_allclose(measure(X, X), np.ones(5), rtol=1e-12)
    found = np.array([measure(X, X + amount * (NOISE - X)) for amount in (0.1, 0.3, 1)])
    assert (np.diff(found, axis=0) < 0).all()
    assert (measure(X, NOISE) < 0.2).all()


@pytest.mark.parametrize("measure", [ssim, ms_ssim_each])
def test_of_flat_images_is_the_luminance_factor(measure):
    # No contrast: structure is c2 / c2 = 1, and a flat image is flat at every scale.
    x, y, c1 = np.full((1, 44, 44, 1), 0.2), np.full((1, 44, 44, 1), 0.6), 0.01**2
    weights = np.array([0.0448, 0.2856, 0.3001])
    luminance = (2 * 0.2 * 0.6 + c1) / (0.2**2 + 0.6**2 + c1)
    power = weights[-1] / weights.sum() if measure is ms_ssim_each else 1
    np.testing.assert_allclose(measure(x, y), luminance**power, rtol=1e-9)


@pytest.mark.parametrize("measure", [ssim, ms_ssim_each])
def test_the_range_of_the_values_is_stated_not_guessed(measure):
    stored = (255 * X).astype(np.uint8), (255 * NOISE).astype(np.uint8)
    found = measure(*stored, data_range=255)
    np.testing.assert_allclose(found, measure(stored[0] / 255, stored[1] / 255), rtol=1e-9)
    with pytest.raises(InputError, match="data_range is 1"):
        measure(*stored)


def test_scales_are_as_many_as_eleven_pixels_fit():
    assert [scales((side, 500)) for side in (10, 11, 28, 32, 64, 128, 160, 161, 512)] == [0, 1, 2, 2, 3, 4, 4, 5, 5]


def test_negative_structure_counts_as_zero():
    assert (ms_ssim_each(X, 1 - X) == 0).all()
    assert (ssim(X, 1 - X) < 0).all()


def test_diversity_is_one_for_copies_and_low_for_noise():
    np.testing.assert_allclose(ms_ssim_diversity(np.repeat(X[:1], 4, 0), pairs=10), 1, rtol=1e-12)
    noise = ms_ssim_diversity(X, pairs=30)
    assert noise < 0.2
    assert noise == ms_ssim_diversity(X, pairs=30)
    few = [ms_ssim(X[[i]], X[[j]]) for i in range(5) for j in range(i)]  # ten pairs, each once
    np.testing.assert_allclose(ms_ssim_diversity(X[:5], pairs=10), np.mean(few), rtol=1e-12)
    two = ms_ssim_diversity(X[:2], pairs=9)  # only one pair to draw, never an image with itself
    np.testing.assert_allclose(two, ms_ssim_each(X[:1], X[1:2])[0], rtol=1e-12)
    assert ms_ssim(X[:2], X[1:3]) == ms_ssim_each(X[:2], X[1:3]).mean()


def test_reconstruction_errors_by_hand():
    x, y = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.5, 0.75], [1.0, 1.0]])
    np.testing.assert_allclose(bce(x, y), [-(np.log(0.5) + np.log(0.75)) / 2, 0], rtol=1e-12)
    np.testing.assert_allclose(mse(x, y), [(0.25 + 0.0625) / 2, 0], rtol=1e-12)
    np.testing.assert_allclose(psnr(x, y), [-10 * np.log10(0.15625), np.inf], rtol=1e-12)
    np.testing.assert_allclose(rounded_accuracy(x, [[0.5, 0.4], [0.51, 0.2]]), [0.5, 0.5])


def test_bce_is_finite_where_a_float32_sigmoid_saturates_and_agrees_with_the_loss_elsewhere():
    np.testing.assert_allclose(bce([[1.0, 0.0]], [[0.0, 1.0]]), [100])
    logits = RNG.standard_normal((4, 6))
    expected = np.mean(bce_of_logits(jnp.asarray(logits), jnp.asarray(X[:4, 0, :2, :].reshape(4, 6))), 1)
    np.testing.assert_allclose(bce(X[:4, 0, :2, :].reshape(4, 6), 1 / (1 + np.exp(-logits))), expected, rtol=1e-5)


def test_sums_are_in_float64():
    x = np.zeros((1, 2**22), np.float32)
    y = np.full(x.shape, 0.1, np.float32)
    np.testing.assert_allclose(mse(x, y), float(np.float32(0.1)) ** 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ssim(X, X[:2]), r"x has shape \(5, 48, 40, 3\) but y \(2, 48, 40, 3\): expected pairs"),
        (lambda: ms_ssim_each(X[:, :10], X[:, :10]), "images of 10x40 are smaller than the 11x11 window"),
        (lambda: ssim(X[0], X[0]), r"expected images \[N, H, W, C\]"),
        (lambda: ms_ssim_each(X, np.where(X > 0.5, np.nan, X)), "y has nan at"),
        (lambda: ms_ssim_diversity(X[:1]), "x has 1 examples where at least 2 are needed"),
        (lambda: ms_ssim_diversity(X, pairs=0), "pairs is 0"),
        (lambda: mse(X, X[:, :5]), "expected pairs"),
        (lambda: bce(X, 2 * X), r"y has values from .* expected \[0, 1\]"),
        (lambda: psnr(X - 1, X), "x has values from -"),
    ],
)
def test_bad_input_is_one_sentence(call, text):
    with pytest.raises(InputError, match=text):
        call()
