"""Precision, recall, density, coverage and nearest examples against sums written out, over tiles of every kind."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.metrics import density_coverage, distances, nearest_neighbors, precision_recall


@pytest.fixture(params=[4, 7, 2048], autouse=True)
def tile(request, monkeypatch):
    monkeypatch.setattr(distances, "TILE", request.param)


def normal(count, seed=0, width=5):
    return np.random.default_rng(seed).standard_normal((count, width))


def all_distances(x, y):
    return np.sqrt(np.sum((x[:, None] - y) ** 2, 2))


def test_a_set_has_all_of_itself():
    x = normal(30).astype(np.float32)
    assert precision_recall(x, x) == (1, 1)
    assert density_coverage(x, x) == (1, 1)
    assert precision_recall(x, x[:9]).precision == 1


def test_sets_far_apart_have_nothing_of_each_other():
    assert precision_recall(normal(30), normal(20, 1) + 100) == (0, 0)
    assert density_coverage(normal(30), normal(20, 1) + 100) == (0, 0)


def test_on_a_line_by_hand():
    # k = 1. Reals 0, 1, 3 reach 1, 1, 2; fakes 2.5, 9 and 11 reach 6.5, 2, 2.
    real, fake = np.array([[0.0], [1], [3]]), np.array([[2.5], [9], [11]])
    np.testing.assert_allclose(precision_recall(real, fake, k=1), (1 / 3, 1))
    np.testing.assert_allclose(density_coverage(real, fake, k=1), (1 / 3, 1 / 3))


@pytest.mark.parametrize("k", [1, 3, 5])
def test_of_random_sets_as_written_out(k):
    real, fake = normal(40), normal(33, 1) * 0.8 + 0.3
    of_real, of_fake = (np.sort(all_distances(x, x), 1)[:, k] for x in (real, fake))
    between = all_distances(real, fake)
    precision = (between <= of_real[:, None]).any(0).mean()
    recall = (between <= of_fake).any(1).mean()
    assert 0 < precision < 1 or 0 < recall < 1
    np.testing.assert_allclose(precision_recall(real, fake, k), (precision, recall), rtol=1e-12)
    density = (between < of_real[:, None]).sum() / k / len(fake)
    coverage = (between.min(1) < of_real).mean()
    np.testing.assert_allclose(density_coverage(real, fake, k), (density, coverage), rtol=1e-12)


@pytest.mark.heavy
def test_one_outlier_raises_precision_from_none_to_all_but_density_by_one_ball():
    clean, fake = normal(200), normal(100, 1) + 10
    dirty = np.vstack([clean, np.full((1, 5), 40.0)])  # its ball reaches back to the clean, over all the fakes
    assert precision_recall(clean, fake).precision == 0
    assert precision_recall(dirty, fake).precision == 1
    assert density_coverage(clean, fake) == (0, 0)
    np.testing.assert_allclose(density_coverage(dirty, fake), (1 / 5, 1 / 201))


def test_copies_count_as_the_same_far_from_the_origin_in_float32():
    real = np.repeat((normal(60, width=300) + 1e4).astype(np.float32), 5, axis=0)  # every ball has radius zero
    assert precision_recall(real, real[:200]) == (1, 40 / 60)


def test_the_squared_distance_of_copies_is_zero_and_none_is_negative():
    x = np.repeat(normal(50, width=300), 2, axis=0)
    squared = distances.pairwise_sq(x, x, distances.center(x))
    np.testing.assert_array_equal(squared == 0, np.kron(np.eye(50, dtype=bool), np.ones((2, 2), bool)))
    assert squared.min() == 0


def test_where_the_origin_is_does_not_matter():
    real, fake, far = normal(40), normal(33, 1) * 0.8 + 0.3, 1e7
    assert density_coverage(real, fake).density > 0
    assert precision_recall(real + far, fake + far) == precision_recall(real, fake)
    assert density_coverage(real + far, fake + far) == density_coverage(real, fake)


def test_neighbors_are_those_of_all_distances():
    samples, train = normal(23), normal(41, 1)
    found = nearest_neighbors(samples, train, k=4)
    between = all_distances(samples, train)
    np.testing.assert_array_equal(found.indices, np.argsort(between, 1)[:, :4])
    np.testing.assert_allclose(found.distances, np.sort(between, 1)[:, :4], rtol=1e-12)


def test_a_copy_is_found_at_distance_zero_exactly():
    train = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), np.uint8)
    found = nearest_neighbors(train[[37, 2]], train, k=2)
    assert found.indices[:, 0].tolist() == [37, 2]
    assert found.distances[:, 0].tolist() == [0, 0]
    assert (found.distances[:, 1] > 1).all()


def test_the_distance_of_a_near_copy_is_not_lost_to_rounding():
    train = normal(30, width=300)
    found = nearest_neighbors(train[:5] + 1e-9, train)
    assert found.indices[:, 0].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(found.distances, np.full((5, 1), 1e-9 * np.sqrt(300)), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: precision_recall(x, x[:, :2]), r"real has examples of shape \(5,\) but fake of \(2,\)"),
        (lambda x: precision_recall(x, x[:3]), "fake has 3 examples where at least 4 are needed"),
        (lambda x: density_coverage(x[:5], x), "real has 5 examples where at least 6 are needed"),
        (lambda x: density_coverage(x, x[:0]), "fake has 0 examples"),
        (lambda x: precision_recall(x, x, k=0), "k is 0: expected an integer"),
        (lambda x: precision_recall(x, x * np.inf), "fake has"),
        (lambda x: nearest_neighbors(x, x[:2], k=3), "train has 2 examples where at least 3"),
        (lambda x: nearest_neighbors(x, x[:, :4]), r"samples has examples of shape \(5,\) but train of \(4,\)"),
    ],
)
def test_bad_input_is_one_sentence(call, text):
    with pytest.raises(InputError, match=text):
        call(normal(20))
