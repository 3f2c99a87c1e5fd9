"""The benchmark of the Fréchet distance, on a dozen dimensions."""

import pytest

from experiments.benchmarks import frechet
from genjax.errors import InputError


def test_all_algorithms_are_timed():
    times = frechet.measure(12, 2)
    assert list(times) == ["frechet_distance", "scipy.linalg.sqrtm", "numpy.linalg.eigvals"]
    assert min(seconds for seconds, _ in times.values()) > 0
    assert "scipy.linalg.sqrtm" in frechet.as_text(times)


def test_an_algorithm_with_another_distance_is_refused(monkeypatch):
    monkeypatch.setitem(frechet.ALGORITHMS, "wrong", lambda *moments: 0.0)
    with pytest.raises(InputError, match=r"the distances disagree: .*'wrong': 0\.0"):
        frechet.measure(12, 1)
