"""Each image and its mirror image: indices by hand."""

import numpy as np
import pytest
from helpers import config_of

from genjax.data.mirrored import mirrored, trained_on
from genjax.data.source import check, in_memory
from genjax.errors import InputError
from genjax.run.training import prepare

X = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 3), np.uint8)


def test_mirror_images_come_after_all_images_with_their_labels():
    source = in_memory("mine", "train", X, np.array([0, 1, 2, 0, 1]), ("a", "b", "c"))
    both = mirrored(source)
    check(both)
    assert (both.size, both.fingerprint != source.fingerprint) == (10, True)
    np.testing.assert_array_equal(both.labels, [0, 1, 2, 0, 1, 0, 1, 2, 0, 1])
    found = both.read(np.array([7, 0, 2, 7]))
    for image, expected in zip(found, (X[2, :, [2, 1, 0]].swapaxes(0, 1), X[0], X[2], X[2, :, ::-1]), strict=True):
        np.testing.assert_array_equal(image, expected)
    np.testing.assert_array_equal(source.read(np.arange(5)), X)  # which are as they were


def test_only_steps_see_mirror_images():
    config = config_of("dcgan", data__mirror=True)
    source, _, schedule = prepare(config)
    assert trained_on(config.data, source).size == 2 * source.size
    assert schedule.source is source
    config.data.mirror = False
    assert trained_on(config.data, source) is source


def test_points_have_no_mirror_images():
    config = config_of("gan", data__name="ring8", data__mirror=True)
    config.generator.output = "linear"
    with pytest.raises(InputError, match=r"data.mirror=True is for images, but ring8"):
        prepare(config)
