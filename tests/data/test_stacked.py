"""Stacked images are three of the set's, and their label says which."""

import numpy as np
import pytest
from ml_collections import ConfigDict

from genjax import data
from genjax.errors import InputError


def load(name, **more):
    return data.load(
        ConfigDict({"name": name, "split": "train", "size": "", "channels": 0, "resize": "crop", "dir": ""} | more)
    )


def test_a_channel_is_an_image_of_its_class():
    base, stacked = load("fashion_mnist_10k"), load("stacked:fashion_mnist_10k")
    assert (stacked.size, stacked.shape) == (128_000, (28, 28, 3))
    x = stacked.read(np.array([5, 77_000]))
    images = {image.tobytes(): label for image, label in zip(base.read(np.arange(10_000)), base.labels, strict=True)}
    for example, label in zip(x, stacked.labels[[5, 77_000]], strict=True):
        digits = [images[np.ascontiguousarray(example[..., channel]).tobytes()] for channel in range(3)]
        assert label == int("".join(map(str, digits)))
        assert stacked.label_names[label] == "".join(map(str, digits))


def test_all_thousand_modes_occur_about_alike():
    counts = np.bincount(load("stacked:fashion_mnist_10k").labels, minlength=1000)
    assert counts.min() > 64
    assert counts.max() < 256


def test_other_splits_are_other_images():
    train, test = (load("stacked:fashion_mnist_10k", split=split) for split in ("train", "test"))
    assert train.fingerprint != test.fingerprint
    assert (train.read(np.arange(9)) != test.read(np.arange(9))).any()


@pytest.mark.parametrize(("name", "message"), [("emoji_32", "gray"), ("ring8", "gray"), ("nothing", "unknown")])
def test_a_set_that_cannot_be_stacked_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        load(f"stacked:{name}")
