"""Drawn images: the same at any size and in any order, of any side up to what is refused."""

import numpy as np
import pytest

from genjax import data
from genjax.config import defaults
from genjax.data.shapes import draw
from genjax.errors import InputError


def load(name, **overrides):
    config = defaults("").data
    config.update(name=name, **overrides)
    return data.load(config)


def test_an_image_is_of_its_number_alone():
    source = load("shapes_32")
    assert (source.size, source.shape, source.dtype, source.labels) == (1000, (32, 32, 3), np.uint8, None)
    x = source.read(np.array([7, 3, 7]))
    np.testing.assert_array_equal(x[0], x[2])
    np.testing.assert_array_equal(x[1], source.read(np.array([3]))[0])
    assert len({image.tobytes() for image in source.read(np.arange(200))}) == 200


def test_sizes_show_the_same_image():
    small, large = draw(3, 32), draw(3, 256)
    means = large.reshape(32, 8, 32, 8, 3).mean((1, 3))
    assert np.abs(means - small).mean() < 2


def test_splits_have_other_images_and_fingerprints_tell_them():
    train, test = load("shapes_16"), load("shapes_16", split="test")
    assert test.size == 100
    assert not (train.read(np.arange(100)) == test.read(np.arange(100))).all((1, 2, 3)).any()
    np.testing.assert_array_equal(load("shapes_16", split="train[10:20]").read([0]), train.read([10]))
    assert len({s.fingerprint for s in (train, test, load("shapes_32"), load("shapes_16", split="train[10:20]"))}) == 4


def test_1024_pixels_are_drawn_when_they_are_read():
    source = load("shapes_1024")
    assert source.nbytes == 1000 * 1024**2 * 3
    assert source.read(np.array([0])).shape == (1, 1024, 1024, 3)


def test_sides_that_cannot_be():
    with pytest.raises(InputError, match="expected a side of 1 to 2048 pixels"):
        load("shapes_0")
    with pytest.raises(InputError, match="expected a side of 1 to 2048"):
        load("shapes_4096")
    with pytest.raises(InputError, match="less than 64x64, and enlarging adds nothing"):
        load("shapes_32", size="64")
