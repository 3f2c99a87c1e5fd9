"""Durations, sizes and tables as text, and the first lines of docstrings."""

import pytest

from genjax import text


@pytest.mark.parametrize(("seconds", "expected"), [(7, "0:07"), (208, "3:28"), (3725, "1:02:05"), (-1, "0:00")])
def test_durations(seconds, expected):
    assert text.duration(seconds) == expected


@pytest.mark.parametrize(
    ("n", "expected"), [(512, "512 B"), (1_992_294, "1.9 MiB"), (2**40, "1.0 TiB"), (2**20 - 1, "1.0 MiB")]
)
def test_bytes(n, expected):
    assert text.bytes_text(n) == expected


def test_a_summary_is_the_first_line_of_a_docstring_and_empty_without_one():
    assert text.summary("\n    One line.\n\n    More.\n") == "One line"
    assert text.summary(None) == text.summary("") == ""


def test_a_table_aligns_numbers_to_the_right_and_text_to_the_left():
    lines = text.table([("kernel", 204_800, None), ("b", 64, 0.5)], ("name", "size", "share"))
    assert lines.splitlines() == [
        "name       size  share",
        "------  -------  -----",
        "kernel  204,800",
        "b            64    0.5",
    ]
    with pytest.raises(ValueError, match="needs 2 cells"):
        text.table([(1,)], ("a", "b"))
