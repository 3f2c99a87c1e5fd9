"""Styles drawn by code."""

import numpy as np
import pytest
from ml_collections import ConfigDict

from genjax import data
from genjax.data.textures import KINDS, draw, palette
from genjax.errors import InputError

FORM = {"split": "train", "size": "", "channels": 0, "resize": "crop", "dir": "", "upscale": False}


def test_textures_are_a_set_of_colored_images_with_a_test_split():
    found = {
        split: data.load(ConfigDict(FORM | {"name": "textures_16", "split": split})) for split in ("train", "test")
    }
    assert [(s.size, s.shape) for s in found.values()] == [(1000, (16, 16, 3)), (100, (16, 16, 3))]
    np.testing.assert_array_equal(found["train"].read([7, 3])[0], draw(7, 16))
    np.testing.assert_array_equal(found["test"].read([0])[0], draw(1000, 16))


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_each_kind_is_of_its_number_alone_and_the_same_at_every_size(kind):
    large, small = (np.float32(draw(kind, side)) for side in (128, 64))
    np.testing.assert_array_equal(large, draw(kind, 128))
    halved = large.reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.corrcoef(halved.ravel(), small.ravel())[0, 1] > 0.8  # strokes are whole pixels wide
    assert large.std() > 15  # no plain surface
    assert np.abs(large - draw(kind + len(KINDS), 128)).mean() > 15


def test_a_palette_goes_from_dark_to_light():
    colors = palette(np.random.default_rng(0))
    assert colors.shape == (6, 3)
    assert (np.diff(colors.max(1)) > 0).all()


def test_a_side_that_cannot_be_drawn_is_refused():
    with pytest.raises(InputError, match="expected a side of 8 to 2048 pixels"):
        data.load(ConfigDict(FORM | {"name": "textures_4"}))
