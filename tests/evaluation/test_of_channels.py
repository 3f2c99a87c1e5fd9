"""Features of images of any number of channels: those of each channel in gray, under a name of their own."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.errors import InputError
from genjax.evaluation.nets import COORDINATES, of_channels
from genjax.metrics.features import INCEPTION, extract
from genjax.metrics.perceptual import perceptual_distance

GRAY = dataclasses.replace(
    COORDINATES,
    name=INCEPTION,
    published=True,
    dimension=12,
    batch=8,
    apply=lambda _, x: (x.reshape(len(x), -1).astype(jnp.float32), jnp.ones((len(x), 2))),
)
X = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 5), np.uint8)


def test_gray_and_color_are_as_they_were():
    assert of_channels(GRAY, 1) is of_channels(GRAY, 3) is GRAY
    assert GRAY.is_fid_inception


def test_features_are_those_of_each_channel_and_no_longer_fid():
    net = of_channels(GRAY, 5)
    features, probabilities = extract(net, X, probabilities=True)
    assert probabilities is None
    assert features.shape == (5, net.dimension)
    np.testing.assert_array_equal(features, np.concatenate([X[..., c].reshape(5, -1) for c in range(5)], 1))
    assert not net.is_fid_inception
    assert net.name == "Inception v3 pool3, each of 5 channels"


@pytest.mark.parametrize("net", [GRAY, of_channels(GRAY, 4)])
def test_images_of_other_channels_are_refused(net):
    with pytest.raises(InputError, match=r"images have shape \[5, 3, 4, 5\]"):
        extract(net, X)


@pytest.mark.heavy
def test_a_perceptual_distance_is_the_mean_over_channels():
    x, y = np.random.default_rng(1).uniform(0, 255, (2, 2, 16, 16, 2)).astype(np.float32)
    distance = jax.jit(perceptual_distance(32))
    alone = [distance(x[..., c : c + 1], y[..., c : c + 1]) for c in range(2)]
    np.testing.assert_allclose(distance(x, y), np.mean(alone, 0), rtol=1e-5)
