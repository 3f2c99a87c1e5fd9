"""Latents in the plane: principal components by their closed form, thumbnails apart, what is far out told."""

import os
import sys

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.report import figures, latents


def test_principal_components_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 4)) @ np.diag([3.0, 1.0, 0.5, 0.1]) + 7
    points, shares = latents.pca(z)
    values, vectors = np.linalg.eigh(np.cov(z.T, bias=True))
    np.testing.assert_allclose(points.var(0), values[::-1][:2])
    np.testing.assert_allclose(shares, values[::-1][:2] / values.sum())
    expected = (z - z.mean(0)) @ vectors[:, ::-1][:, :2]
    np.testing.assert_allclose(np.abs(points), np.abs(expected))
    np.testing.assert_array_equal(latents.pca(z.reshape(500, 2, 2))[0], points)  # a map is as good as a vector
    np.testing.assert_allclose(latents.pca(-z)[0], -points)  # a sign is the component's, not the data's


def test_a_plane_needs_two_of_each():
    for z in (np.zeros((1, 5)), np.zeros((5, 1))):
        with pytest.raises(InputError, match="needs 2 latents of 2 dimensions"):
            latents.pca(z)
    points, shares = latents.pca(np.ones((5, 3)))
    assert not points.any()
    assert not shares.any()


def test_tsne_without_scikit_learn_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(InputError, match="pip install scikit-learn"):
        latents.tsne(np.zeros((9, 3)))


def test_tsne_keeps_two_far_clouds_apart_and_is_the_same_each_time():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=(30, 5)), rng.normal(size=(30, 5)) + 50])
    points = latents.tsne(z)
    np.testing.assert_array_equal(points, latents.tsne(z))
    near = np.linalg.norm(points[:, None] - points, axis=-1) + 1e9 * np.eye(60)
    assert ((near.argmin(1) < 30) == (np.arange(60) < 30)).all()
    with pytest.raises(InputError, match="at least 4"):
        latents.tsne(z[:3])


def test_places_that_are_kept_are_apart_and_no_other_could_be():
    places = np.random.default_rng(0).random((200, 2))
    kept = latents.apart(places, 0.1)
    gaps = np.abs(places[:, None] - places[kept]).max(-1)
    assert (gaps[kept] + np.eye(len(kept)) >= 0.1).all()
    others = np.setdiff1d(np.arange(200), kept)
    assert (gaps[others].min(1) < 0.1).all()
    assert kept[0] == 0


def test_one_point_far_out_does_not_squeeze_the_others():
    points = np.random.default_rng(0).random((1000, 2))
    low, high = latents.limits(points)
    assert (low < points.min(0)).all()
    assert (high > points.max(0)).all()
    points[0] = 1000
    low, high = latents.limits(points)
    assert (high < 2).all()
    assert (points[1:] >= low).all()
    assert (points[1:] <= high).all()


@pytest.mark.heavy
@pytest.mark.parametrize("classes", [None, 3, 10, 15, 40])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_any_number_of_classes_and_kinds_of_examples_are_drawn(classes, channels):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 2))
    labels = None if classes is None else rng.integers(0, classes, 60)
    thumbnails = None if channels is None else rng.integers(0, 256, (60, 8, 8, channels), np.uint8)
    names = [f"class {i}" for i in range(classes or 0)]
    image = latents.draw(points, labels, names, thumbnails, "Title")
    assert image.size == (1100, 946)
    assert np.asarray(image).std() > 0


def test_one_point_alone_is_drawn():
    assert latents.draw(np.zeros((1, 2)), np.zeros(1, int)).size == (1100, 946)


def test_any_name_of_a_class_is_drawn():
    names = ["_hidden", "$\\none$", os.fsdecode(b"\xff"), "a\nb"]
    assert [figures.plain(name) for name in names] == [" _hidden", r"\$\none\$", r"\udcff", "a\nb"]
    latents.draw(np.eye(4)[:, :2], np.arange(4), names)
