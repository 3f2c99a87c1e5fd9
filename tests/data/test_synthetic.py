import numpy as np
import pytest

from genjax.data.synthetic import mixture
from genjax.errors import InputError


@pytest.mark.parametrize(("name", "modes", "std"), [("ring8", 8, 0.01), ("grid25", 25, 0.05)])
def test_statistics_match_the_mixture(load, name, modes, std):
    source = load(name)
    x = source.read(np.arange(source.size))
    n = source.size
    assert source.mixture is not None
    assert (n, source.shape, source.dtype, source.mixture.std) == (100_000, (2,), np.float32, std)
    counts = np.bincount(source.labels, minlength=modes)
    # Multinomial: six standard deviations of a count.
    assert np.abs(counts - n / modes).max() < 6 * np.sqrt(n / modes)
    residual = x - source.mixture.centers[source.labels]
    for mode in range(modes):
        r = residual[source.labels == mode]
        assert np.abs(r.mean(0)).max() < 6 * std / np.sqrt(len(r))
        assert np.abs(r.std(0) / std - 1).max() < 6 / np.sqrt(2 * len(r))
    # Rayleigh: a share 1 - exp(-9/2) lies within three standard deviations.
    within = (np.hypot(*residual.T) < 3 * std).mean()
    assert abs(within - (1 - np.exp(-4.5))) < 6 * np.sqrt(0.011 / n)


def test_centers():
    angle = 2 * np.pi * np.arange(8) / 8
    np.testing.assert_allclose(mixture("ring8").centers, np.stack([np.cos(angle), np.sin(angle)], 1), atol=1e-15)
    grid = mixture("grid25").centers.reshape(5, 5, 2)
    np.testing.assert_array_equal(grid[:, 0, 0], [-4, -2, 0, 2, 4])
    np.testing.assert_array_equal(grid[0, :, 1], [-4, -2, 0, 2, 4])


def test_points_are_fixed_and_splits_differ(load):
    assert load("ring8").fingerprint == load("ring8").fingerprint != load("grid25").fingerprint
    test = load("ring8", "test")
    assert test.size == 10_000
    assert (test.read(np.arange(9)) != load("ring8").read(np.arange(9))).any()


def test_the_swiss_roll_is_the_spiral_with_its_noise(load):
    x = np.float64(load("swiss_roll").read(np.arange(100_000))) * 7.5
    # Without noise the radius is t, and t modulo 2 pi is the angle: what is left across the spiral is noise of 0.25.
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    off = (radius - angle + np.pi) % (2 * np.pi) - np.pi
    assert off.std() == pytest.approx(0.25, rel=0.03)
    assert abs(off.mean()) < 0.01  # the chord's second order, 0.25^2 / (2 radius), is beneath this
    # The parameter is uniform on [1.5 pi, 4.5 pi].
    assert np.quantile(radius - off, [0.25, 0.5, 0.75]) / np.pi == pytest.approx([2.25, 3, 3.75], abs=0.02)


def test_scikit_learn_has_the_same_distribution(load):
    datasets = pytest.importorskip("sklearn.datasets")
    theirs = datasets.make_swiss_roll(100_000, noise=0.25, random_state=0)[0][:, [0, 2]] / 7.5
    ours = load("swiss_roll").read(np.arange(100_000))
    # In every cell: six standard deviations of a difference of counts.
    bins = np.linspace(-2.1, 2.1, 22)
    counts = [np.histogram2d(*points.T, (bins, bins))[0] for points in (ours, theirs)]
    assert (np.abs(counts[0] - counts[1]) <= 6 * np.sqrt(counts[0] + counts[1] + 1)).all()


def test_wrong_requests_are_explained(load):
    with pytest.raises(InputError, match="points in the plane"):
        load("swiss_roll", size="32")
    with pytest.raises(InputError, match="points in the plane"):
        load("ring8", size="32")
    with pytest.raises(InputError, match="choose from 'ring8' or 'grid25'"):
        mixture("ring9")
