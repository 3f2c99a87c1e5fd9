"""Both conventions of bilinear resizing, by hand and against those who set them."""

import jax
import numpy as np
import pytest
from PIL import Image

from genjax.ops.resize import bilinear, bilinear_tf1


def test_the_two_conventions_by_hand():
    x = np.array([0.0, 8.0], np.float32).reshape(1, 1, 2, 1)
    np.testing.assert_array_equal(bilinear_tf1(x, (1, 4)).ravel(), [0, 4, 8, 8])  # at 0, 1/2, 1, 3/2
    np.testing.assert_allclose(bilinear(x, (1, 4)).ravel(), [0, 2, 6, 8], rtol=1e-6)  # at -1/4, 1/4, 3/4, 5/4


@pytest.mark.parametrize("size", [(128, 96), (9, 13)])
def test_bilinear_is_pillows(size):
    x = np.random.default_rng(0).uniform(0, 255, (1, 32, 40, 1)).astype(np.float32)
    expected = np.asarray(Image.fromarray(x[0, :, :, 0]).resize(size[::-1], Image.Resampling.BILINEAR))
    np.testing.assert_allclose(bilinear(x, size)[0, :, :, 0], expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("size", [(28, 28), (64, 48), (400, 331), (299, 299), (1, 5)])
def test_tf1_is_tensorflows(size):
    tf = pytest.importorskip("tensorflow", reason="the original of bilinear_tf1 is TensorFlow's")
    x = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype(np.float32)
    resize = tf.compat.v1.image.resize_bilinear
    expected = resize(x, (299, 299), align_corners=False, half_pixel_centers=False).numpy()
    np.testing.assert_array_equal(bilinear_tf1(x, (299, 299)), expected)
    fused = jax.jit(bilinear_tf1, static_argnums=1)(x, (299, 299))
    np.testing.assert_allclose(fused, expected, atol=2**-14)  # roundings of numbers below 256, by fused multiply-adds
