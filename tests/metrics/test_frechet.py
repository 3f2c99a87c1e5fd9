"""The Fréchet distance in closed form, and moments that do not care how a stream was cut."""

import warnings

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.metrics import Moments, distance_of_moments, frechet_distance


def rotation(size, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]


def cov(spectrum, basis):
    return (basis * spectrum) @ basis.T


def features(count, width, seed=0):
    rng = np.random.default_rng(seed)
    return 5 + rng.standard_normal((count, width)) @ rng.standard_normal((width, width))


def test_of_a_shifted_mean_is_its_squared_length():
    spread, shift = cov(np.logspace(0, -8, 20), rotation(20)), np.arange(20.0)
    np.testing.assert_allclose(frechet_distance(np.zeros(20), spread, shift, spread), shift @ shift, rtol=1e-12)


def test_of_scaled_features_is_the_squared_difference_of_their_deviations():
    # std s and 3 s along each axis: sum of (3 s - s)^2 = 4 tr S.
    spread = cov(np.linspace(1, 2, 20), rotation(20))
    distance = frechet_distance(np.zeros(20), spread, np.zeros(20), 9 * spread)
    np.testing.assert_allclose(distance, 4 * np.trace(spread), rtol=1e-12)


def test_of_a_turned_gaussian_in_the_plane():
    # S = diag(9, 1) turned by a: tr (S1 S2)^1/2 = sqrt(tr(S1 S2) + 2 det S), as for any 2 x 2 matrices.
    a = 0.7
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    first = np.diag([9.0, 1.0])
    second = turn @ first @ turn.T
    expected = 20 - 2 * np.sqrt(np.trace(first @ second) + 2 * 9)
    np.testing.assert_allclose(frechet_distance([0, 0], first, [0, 0], second), expected, rtol=1e-12)


def test_of_commuting_covariances_whose_spectra_fall_by_fourteen_orders():
    a = np.logspace(0, -14, 300)
    b, basis = np.roll(a, 100), rotation(300)
    distance = frechet_distance(np.zeros(300), cov(a, basis), np.zeros(300), cov(b, basis))
    np.testing.assert_allclose(distance, np.sum((np.sqrt(a) - np.sqrt(b)) ** 2), rtol=1e-9)


def test_of_covariances_without_rank_is_exact():
    # The first has three directions, the second all: sum over the three of (sqrt a - sqrt b)^2, plus the others' b.
    a, b, basis = np.r_[4.0, 9, 16, np.zeros(37)], np.full(40, 2.0), rotation(40)
    distance = frechet_distance(np.zeros(40), cov(a, basis), np.zeros(40), cov(b, basis))
    np.testing.assert_allclose(distance, np.sum((np.sqrt(a) - np.sqrt(b)) ** 2), rtol=1e-7)
    zero = np.zeros((40, 40))
    np.testing.assert_allclose(frechet_distance(np.zeros(40), cov(a, basis), np.zeros(40), zero), a.sum(), rtol=1e-12)
    assert frechet_distance(np.zeros(40), zero, np.zeros(40), zero) == 0


def test_few_samples_give_a_finite_distance_and_one_warning_each():
    real, fake = (Moments.empty(64).add(features(10, 64, seed)) for seed in (0, 1))
    with pytest.warns(UserWarning, match="10 examples in 64 dimensions have a singular covariance") as caught:
        distance = frechet_distance(real.mean, real.cov, fake.mean, fake.cov)
    assert len(caught) == 2
    assert caught[0].filename == __file__
    assert np.isfinite(distance)
    assert distance > 0


def test_the_distance_of_moments_warns_once_and_names_the_small_sets():
    small, other, large = (Moments.empty(8).add(features(count, 8, count)) for count in (5, 6, 90))
    for samples, reference, text in (
        (small, other, "5 samples and 6 examples of the reference in 8 dimensions"),
        (small, large, "5 samples in 8 dimensions"),
        (large, small, "5 examples of the reference in 8"),
    ):
        with pytest.warns(UserWarning, match=f"^{text}") as caught:
            distance = distance_of_moments(samples, reference)
        assert len(caught) == 1
    with warnings.catch_warnings(action="error"):
        distance = distance_of_moments(large, large._replace(mean=large.mean + 2))
    np.testing.assert_allclose(distance, 4 * 8, rtol=1e-9)


def test_one_sample_more_than_dimensions_is_enough_for_no_warning():
    with pytest.warns(UserWarning, match="take more than 8"):
        Moments.empty(8).add(features(8, 8)).cov  # noqa: B018
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Moments.empty(8).add(features(9, 8)).cov  # noqa: B018


def test_of_a_set_to_itself_is_zero_and_never_below():
    for count, seed in [(5, 0), *((500, seed) for seed in range(20))]:  # about half of which would round below zero
        moments = Moments.empty(30).add(features(count, 30, seed))
        with warnings.catch_warnings(action="ignore"):
            distance = frechet_distance(moments.mean, moments.cov, moments.mean, moments.cov)
        assert 0 <= distance < 1e-10 * np.trace(moments.scatter)


@pytest.mark.parametrize("batch", [1, 7, 64, 500])
def test_moments_are_numpys_in_any_batches(batch):
    x = features(500, 12) + 1e4  # a mean far from zero, where sums of squares would cancel
    moments = Moments.empty(12)
    for start in range(0, len(x), batch):
        moments = moments.add(x[start : start + batch])
    assert moments.count == 500
    np.testing.assert_allclose(moments.mean, x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.cov, np.cov(x, rowvar=False), rtol=1e-9)


def test_moments_continue_from_a_file(tmp_path):
    x = features(300, 12)
    np.savez(tmp_path / "moments.npz", **Moments.empty(12).add(x[:113])._asdict())
    moments = Moments(**np.load(tmp_path / "moments.npz")).add(x[113:])
    assert moments.count == 300
    np.testing.assert_allclose(moments.mean, x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.cov, np.cov(x, rowvar=False), rtol=1e-9)


def test_float32_features_are_summed_in_float64():
    x = (features(2000, 5) + 1e3).astype(np.float32)
    moments = Moments.empty(5)
    for start in range(0, 2000, 50):
        moments = moments.add(x[start : start + 50])
    np.testing.assert_allclose(moments.cov, np.cov(x.astype(np.float64), rowvar=False), rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: frechet_distance([0.0], [[1.0]], [0.0, 0], np.eye(2)), r"mean1 has shape \(1,\) but mean2 \(2,\)"),
        (lambda: frechet_distance([0.0, 0], [[1.0]], [0.0, 0], np.eye(2)), r"expected \[D\] and \[D, D\]"),
        (lambda: frechet_distance([0.0, np.nan], np.eye(2), [0.0, 0], np.eye(2)), r"mean1 has nan at \[1\]"),
        (lambda: frechet_distance([0.0, 0], np.eye(2), [0.0, 0], [[1, 0.5], [0, 1]]), "cov2 is not symmetric"),
        (lambda: Moments.empty(3).add(np.ones((4, 2))), "2 numbers each: expected 3"),
        (lambda: Moments.empty(2).add([[1, np.inf]]), r"features has inf at \[0, 1\]"),
        (lambda: Moments.empty(2).add([[1, 2]]).cov, "a covariance of 1 examples does not exist"),
    ],
)
def test_bad_input_is_one_sentence(call, text):
    with pytest.raises(InputError, match=text):
        call()
