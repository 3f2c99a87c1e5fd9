"""Filters as images: whose weights stand where, and what is gray."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.report import filters


def test_a_dense_kernels_columns_are_images_of_its_inputs():
    kernel = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    images = filters.to_images(kernel, (3, 2, 1))
    assert images.shape == (4, 3, 2, 1)
    x = np.random.default_rng(1).normal(size=(3, 2, 1))
    np.testing.assert_allclose((images * x).sum((1, 2, 3)), x.reshape(-1) @ kernel, rtol=1e-5)


def test_a_convolutions_kernel_has_an_image_a_channel_out():
    kernel = np.random.default_rng(0).normal(size=(5, 5, 3, 8)).astype(np.float32)
    np.testing.assert_array_equal(filters.to_images(kernel, (32, 32, 3))[6], kernel[..., 6])


def test_zero_is_gray_and_the_largest_weight_black_or_white():
    images = np.array([[0.0, 2.0, -4.0], [0.0, 0.1, 0.05], [0.0, 0.0, 0.0]])[:, None, :, None]
    expected = [[128, 191, 0], [128, 255, 191], [128, 128, 128]]
    assert filters.normalized(images)[:, 0, :, 0].tolist() == expected


def test_many_filters_become_the_largest_hundred():
    kernel = np.ones((4, 150), np.float32) * np.where(np.arange(150) % 3 == 0, 1e-3, 1)
    kernel[0, 149] = -5.0  # one of those with the largest norms
    sheet = np.asarray(filters.draw(kernel, (2, 2, 1)))
    assert sheet.shape == (10 * (2 * 24 + 4) + 4,) * 2
    assert (sheet == 0).any()


@pytest.mark.parametrize("shape", [(5, 4), (3, 3, 3, 4), (4,)])
def test_a_kernel_of_other_inputs_is_refused(shape):
    with pytest.raises(InputError, match="filters of images"):
        filters.to_images(np.zeros(shape), (2, 2, 1))
