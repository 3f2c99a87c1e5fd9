import numpy as np
import pytest

from genjax.errors import InputError


def test_sines_have_the_frequencies_and_phases_of_the_authors(load):
    source = load("sines")
    assert (source.size, source.shape, source.dtype) == (10_000, (24, 5), np.float32)
    x = np.arcsin(2 * np.float64(source.read(np.arange(1000))) - 1)
    # Up to the quarter of a turn, which f t + p reaches at step 15 at the earliest, the angle is a line.
    frequency, phase = x[:, 1] - x[:, 0], x[:, 0]
    np.testing.assert_allclose(x[:, :15], phase[:, None] + frequency[:, None] * np.arange(15)[:, None], atol=2e-5)
    for values in (frequency, phase):  # uniform on [0, 0.1]: six standard errors of a mean of 5,000
        assert values.min() > -1e-5
        assert values.max() < 0.1 + 1e-5
        assert abs(values.mean() - 0.05) < 6 * 0.1 / np.sqrt(12 * 5000)
    assert abs(np.corrcoef(frequency.T) - np.eye(5)).max() < 6 / np.sqrt(1000)


def test_splits_are_fixed_and_differ(load):
    assert load("sines").fingerprint == load("sines").fingerprint
    test = load("sines", "test")
    assert test.size == 2000
    assert (test.read(np.arange(9)) != load("sines").read(np.arange(9))).any()
    with pytest.raises(InputError, match="series of 24 steps"):
        load("sines", size="32")
