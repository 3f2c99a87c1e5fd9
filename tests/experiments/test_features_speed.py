"""The benchmark of features, on a handful of images."""

import sys

import numpy as np
import pytest

from experiments.benchmarks import features
from experiments.benchmarks.features import Duel, Kind
from genjax.errors import InputError


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
def test_pytorch_computes_the_same_and_is_timed(shape):
    pytest.importorskip("torch", reason="PyTorch is the library to compare with")
    duel = features.duel(Kind(shape, 33), 5, 2)
    assert len(duel.ours) == len(duel.theirs) == 2
    assert min(duel.ours + duel.theirs) > 0
    assert duel.batch == 5  # fewer than the smallest that is tried


def test_the_fastest_batch_is_found():
    sizes = []
    assert features.fastest(lambda x: sizes.append(len(x)), np.zeros(40)) in (16, 32)
    assert set(sizes) == {16, 32}


@pytest.mark.parametrize("ours", [[1.0, 2.001], [1.0, np.nan]])
def test_other_features_are_refused(ours):
    features.agree(np.array([1.0, 2.0001]), np.array([1.0, 2.0]))
    with pytest.raises(InputError, match="the features of PyTorch differ by"):
        features.agree(np.array(ours), np.array([1.0, 2.0]))


def test_without_pytorch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"pip install -e \"\.\[bench\]\""):
        features.in_torch({}, 64)


def test_a_ratio_is_of_medians_and_its_range_of_turns():
    duel = Duel(Kind((28, 28, 1), 64), 10_000, [1.0, 2.0, 4.0], [2.0, 3.0, 4.0], 32)
    row = "| 10,000 of 28x28 gray, resized to 64x64 | 2.0 s | 3.0 s | 32 | 1.50 (1.00 - 2.00) |"
    assert row in features.as_text([duel])
