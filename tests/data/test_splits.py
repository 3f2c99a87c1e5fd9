import numpy as np
import pytest

from genjax.data.splits import parse, read_splits
from genjax.errors import InputError

SIZES = {"train": 10, "test": 4}


def take(split):
    x, labels = read_splits(split, SIZES, lambda name: (np.arange(SIZES[name]) + 100 * (name == "test"), None))
    assert labels is None
    return x.tolist()


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", [*range(10)]),
        ("train[:3]", [0, 1, 2]),
        ("train[7:]", [7, 8, 9]),
        ("train[-2:]", [8, 9]),
        ("train[:-8]", [0, 1]),
        ("train[20%:50%]", [2, 3, 4]),
        ("train[90%:]", [9]),
        ("train[-10%:]", [9]),
        ("train[:]", [*range(10)]),
        ("test[1:2]+train[:1]", [101, 0]),
        ("train + test[:1]", [*range(10), 100]),
    ],
)
def test_slices(split, expected):
    assert take(split) == expected


def test_percentages_cut_without_gap_or_overlap_and_round_as_tfds_does():
    for percent in range(101):
        cut = round(percent * 7 / 100)  # TFDS's "closest"
        (left,), (right,) = parse(f"a[:{percent}%]", ["a"]), parse(f"a[{percent}%:]", ["a"])
        if 0 < cut < 7:
            assert (left.bounds(7), right.bounds(7)) == ((0, cut), (cut, 7))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("trian", r"no split 'trian' \(did you mean 'train'\?\).*train, test"),
        ("train[:3", "cannot be read"),
        ("train[0.5:]", "cannot be read"),
        ("", "cannot be read"),
        ("train[:11]", "reaches outside of 'train', which has 10"),
        ("train[:104%]", "reaches outside of 'train', which has 10"),
        ("train[5:5]", "selects nothing"),
        ("train[:0%]", "selects nothing"),
    ],
)
def test_errors(split, message):
    with pytest.raises(InputError, match=message):
        take(split)
