"""The plane of latents, and how active latents are."""

import numpy as np
import pytest
from scipy.stats import norm

from genjax.report import activity, manifold


def test_a_plane_has_the_quantiles_of_the_normal_law_and_rises_upwards():
    plane = manifold.plane(5)
    quantiles = norm.ppf([0.05, 0.275, 0.5, 0.725, 0.95])
    np.testing.assert_allclose(plane[0, :, 0], quantiles, atol=1e-12)
    np.testing.assert_allclose(plane[:, 0, 1], quantiles[::-1], atol=1e-12)
    moved = manifold.plane(5, mean=(1, 2), std=(3, 4))
    np.testing.assert_allclose(moved, plane * [3, 4] + [1, 2])


def test_images_of_a_plane_stand_without_gaps():
    images = np.arange(6, dtype=np.uint8).reshape(2, 3, 1, 1, 1) * np.ones((4, 4, 1), np.uint8)
    sheet = np.asarray(manifold.draw(images))
    factor = sheet.shape[0] // 8
    np.testing.assert_array_equal(sheet[:: 4 * factor, :: 4 * factor], np.arange(6).reshape(2, 3))


@pytest.mark.heavy
@pytest.mark.parametrize("target", [None, 0.1])
@pytest.mark.parametrize("z", [np.zeros((4, 3)), np.random.default_rng(0).random((50, 2, 2, 3))], ids=["dead", "maps"])
def test_activity_is_drawn_of_any_latents(z, target):
    assert np.asarray(activity.draw(z, target)).std() > 0
