"""Mode counting against laws whose answers are known."""

import warnings

import numpy as np
import pytest

from genjax.data.synthetic import mixture
from genjax.errors import InputError
from genjax.metrics import count_classes, count_modes


def draw(name, count, modes=None):
    law, rng = mixture(name), np.random.default_rng(0)
    labels = rng.integers(modes or len(law.centers), size=count)
    return law, law.centers[labels] + law.std * rng.standard_normal((count, 2))


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_of_the_law_itself(name):
    # Within 3 std in the plane: 1 - exp(-9/2). For n even draws, 2 n KL is chi-square of modes - 1 degrees.
    law, x = draw(name, 20_000)
    found, modes = count_modes(x, law.centers, law.std), len(law.centers)
    assert found.covered == modes
    rate = 1 - np.exp(-4.5)
    assert abs(found.high_quality - rate) < 4 * np.sqrt(rate * (1 - rate) / 20_000)
    assert 0 <= found.kl < 3 * (modes - 1) / 40_000


def test_of_a_generator_with_two_modes_of_eight():
    law, x = draw("ring8", 10_000, modes=2)
    found = count_modes(x, law.centers, law.std)
    assert found.covered == 2
    np.testing.assert_allclose(found.kl, np.log(4), rtol=1e-3)


def test_samples_that_are_not_good_cover_nothing_but_belong_to_a_mode():
    law = mixture("ring8")
    found = count_modes(law.centers * (1 + np.r_[0.029, 0.031, [0.5] * 6])[:, None], law.centers, law.std)
    assert found.covered == 1
    np.testing.assert_allclose(found[1:], (1 / 8, 0), atol=1e-12)


def test_frequencies_of_the_law_may_differ():
    centers = np.array([[0.0], [10]])
    found = count_modes([[0.0], [0], [0], [10]], centers, 1, frequencies=[0.75, 0.25])
    assert found == (2, 1, 0)


def test_classes_of_stacked_digits():
    digits = np.array([[0, 0, 7], [0, 0, 7], [9, 9, 9], [1, 2, 3]])
    found = count_classes(digits @ [100, 10, 1], np.full(1000, 1e-3))
    assert found.covered == 3
    np.testing.assert_allclose(found.kl, 0.5 * np.log(500) + 0.5 * np.log(250), rtol=1e-12)


def test_a_class_that_the_data_lack_is_infinitely_far():
    assert count_classes([0, 1], [1, 0]).kl == np.inf
    assert count_classes([0, 0], [0.5, 0.5]) == (1, pytest.approx(np.log(2)))


CENTRES = np.zeros((2, 2))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: count_modes(np.ones((3, 3)), CENTRES, 1), r"x has examples of shape \(3,\) but centers of \(2,\)"),
        (lambda: count_modes(np.ones((3, 2)), CENTRES, 0), "std is 0"),
        (lambda: count_modes([[0, np.nan]], CENTRES, 1), "x has nan"),
        (lambda: count_modes([[0, 1.0]], CENTRES, 1, [0.5, 0.6]), "sum to 1.1: expected 2 shares"),
        (lambda: count_classes([0.5], [1]), "labels are float64"),
        (lambda: count_classes([3], [0.5, 0.5]), "labels go from 3 to 3: expected 0 to 1"),
        (lambda: count_classes([0], [4, 4]), "sum to 8: expected 2 shares that sum to 1"),
    ],
)
def test_bad_input_is_one_sentence(call, text):
    with pytest.raises(InputError, match=text):
        call()


def test_a_divergence_by_chance_is_told():
    """The mean over samples of the distribution itself stays below the bound log(1 + (classes - 1) / n)."""
    rng = np.random.default_rng(0)
    shares = np.full(10, 0.1)
    with pytest.warns(UserWarning, match="30 samples of 10 classes diverge by up to 0.26 nats"):
        found = [count_classes(rng.integers(10, size=30), shares).kl for _ in range(200)]
    assert 0.1 < np.mean(found) < np.log(1 + 9 / 30)
    with warnings.catch_warnings(action="error"):
        count_classes(rng.integers(10, size=300), shares)
    with pytest.warns(UserWarning, match="the divergence is infinite: samples of classes that the data lack: 200"):
        count_classes(np.repeat([0, 1], 200), [1.0, 0])
