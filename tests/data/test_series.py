"""Series are read as they are in the file, what is after their ends is marked, and what is wrong is named."""

import numpy as np
import pytest
from helpers import run

from genjax.errors import InputError


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.fixture
def archive(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "x.npz", **arrays)
        return f"series:{tmp_path / 'x.npz'}"

    return save


@pytest.fixture
def table(tmp_path):
    def save(text):
        (tmp_path / "x.csv").write_text(text)
        return f"series:{tmp_path / 'x.csv'}"

    return save


def test_an_archive_is_its_array(archive, load):
    x = draw(10, 5, 2)
    source = load(archive(x=x.astype(np.float64)), split="train[2:]")
    assert (source.size, source.shape, source.dtype, source.labels) == (8, (5, 2), np.float32, None)
    np.testing.assert_array_equal(source.read(np.arange(8)), x[2:])
    np.testing.assert_array_equal(load(archive(x=x[..., 0])).read(np.arange(10)), x[..., :1])


def test_steps_after_an_end_are_marked_whatever_they_hold(archive, load):
    x, lengths = draw(3, 5, 2), np.array([5, 1, 3])
    marked = x.copy()
    marked[1, 1:] = marked[2, 3:] = np.nan
    found = load(archive(x=x, lengths=lengths))
    np.testing.assert_array_equal(found.read(np.arange(3)), marked)
    x[1, 1:], x[2, 3:] = np.inf, 7
    assert load(archive(x=x, lengths=lengths)).fingerprint == found.fingerprint
    assert load(archive(x=marked)).fingerprint == found.fingerprint  # NaN at the end marks itself


def test_a_table_is_cut_into_windows_and_the_last_may_be_shorter(table, load):
    source = load(table("height,weight\n" + "".join(f"{i},{-i}\n" for i in range(7))), size="3")
    x = source.read(np.arange(source.size))
    np.testing.assert_array_equal(x[..., 0], [[0, 1, 2], [3, 4, 5], [6, np.nan, np.nan]])
    np.testing.assert_array_equal(x[..., 1], -x[..., 0])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": draw(2, 3, 1)}, "no array x"),
        ({"x": draw(4)}, r"x is float32 \[4\]"),
        ({"x": np.array([[["a"]]])}, "expected real numbers"),
        ({"x": np.array([[[None]]], object)}, "cannot be read as arrays"),  # a pickle is never run
        ({"x": draw(2, 3, 1), "lengths": np.array([3, 4])}, "whole numbers from 1 to 3"),
        ({"x": draw(2, 3, 1), "lengths": np.array([3.0, 2.0])}, "whole numbers"),
        ({"x": np.where(np.arange(3)[:, None] == 1, np.nan, draw(2, 3, 1))}, "step 1 of series 0 is not finite"),
        ({"x": np.full((2, 3, 1), np.nan)}, "step 0 of series 0"),
    ],
)
def test_archives_that_are_none_are_refused(arrays, message, archive, load):
    with pytest.raises(InputError, match=message):
        load(archive(**arrays))


@pytest.mark.parametrize(
    ("text", "size", "message"),
    [
        ("1,2\n", "", "data.size=64"),
        ("1,2\n", "3x4", "data.size=64"),
        ("1,2\n3\n", "2", "cannot be read as a table"),
        ("1,2\na,b\n", "2", "could not convert"),
        ("1,2\n3,nan\n", "2", "step 1 of series 0"),
        ("a,b\n", "2", "is empty"),
    ],
)
def test_tables_that_are_none_are_refused(text, size, message, table, load):
    with pytest.raises(InputError, match=message):
        load(table(text), size=size)


def test_other_requests_that_mean_nothing_are_refused(tmp_path, archive, load):
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    for name, message in (("none.npz", "no such file"), ("x.txt", "expected a .npz"), ("broken.npz", "cannot be read")):
        with pytest.raises(InputError, match=message):
            load(f"series:{tmp_path / name}")
    with pytest.raises(InputError, match="not images"):
        load(archive(x=draw(2, 3, 1)), size="3")
    with pytest.raises(InputError, match="no split 'test'"):
        load(archive(x=draw(2, 3, 1)), split="test")


@pytest.mark.heavy
def test_series_of_unequal_lengths_train(archive, tmp_path):
    x = 1 / (1 + np.exp(-draw(12, 5, 2)))
    name = archive(x=x, lengths=np.arange(12) % 5 + 1)
    result = run(
        "genjax.train",
        "--config=configs/ae_recurrent.py:smoke",
        f"--workdir={tmp_path}/r",
        f"--config.data.name={name}",
    )
    assert result.code == 0, result.err
