"""Originals over reconstructions: the i-th of each row in one column, in bands."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.report import reconstructions


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [2, 3])
def test_the_images_of_a_column_belong_together(count, channels):
    levels = np.arange(1, 8, dtype=np.uint8)[:, None, None, None] * np.ones((6, 6, channels), np.uint8)
    rows = [levels + 50 * row for row in range(count)]
    sheet = np.asarray(reconstructions.draw(*rows, columns=3))
    sheet = sheet.reshape(*sheet.shape[:2], channels)[..., 0]
    factor = next(i for i in range(8, 0, -1) if sheet.shape[1] == i * (3 * 8 + 2))
    sheet = sheet[::factor, ::factor]
    band = count * 8 + 2 + 2  # each image and its margin, the last margin, the gap
    assert sheet.shape == (3 * band - 2, 26)
    for index in range(7):
        top, left = index // 3 * band + 2, index % 3 * 8 + 2
        for row in range(count):
            cell = sheet[top + 8 * row :, left:][:6, :6]
            assert (cell == index + 1 + 50 * row).all(), (index, row)
    assert (sheet[2 * band + 2 :, 8 + 2 :] == 255).all()  # places that are left empty


@pytest.mark.parametrize("count", [1, 2, 5, 16, 64, 100])
def test_a_sheet_is_near_square(count):
    rows = np.zeros((2, count, 28, 28, 1), np.uint8)
    width, height = reconstructions.draw(*rows).size
    assert count < 5 or 0.6 < width / height < 1.7


@pytest.mark.heavy
@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_points_of_any_dimension_are_drawn(dimensions):
    x = np.random.default_rng(0).normal(size=(50, dimensions)).astype(np.float32)
    assert np.asarray(reconstructions.draw(x, 0.9 * x)).std() > 0


def test_a_series_of_one_step_is_seen():
    x = np.full((1, 5, 1), np.nan, np.float32)
    x[0, 0] = 0.3
    sheet = np.asarray(reconstructions.draw(x, x + 0.1))
    assert np.ptp(sheet, axis=2).max() > 50  # the axes and the legend are gray


def test_sets_that_do_not_belong_together_are_refused():
    x = np.zeros((4, 8, 8, 1), np.uint8)
    for rows in ((x,), (x, x[:3]), (x, x, x, x)):
        with pytest.raises(InputError, match="two or three sets of one shape"):
            reconstructions.draw(*rows)
