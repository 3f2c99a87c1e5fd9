"""Sequences of tokens as rows of numbers."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.report import gallery, tokens

X = np.array([[3, 7, 3], [499, 0, 12]], np.float32)[..., None]


def test_a_token_has_one_color_and_each_row_is_drawn():
    image = np.asarray(gallery.draw(X, vocabulary=500).convert("RGB"))
    height, width = image.shape[:2]
    cells = image[(np.array([0.05, 0.55]) * height).astype(int)][:, (np.array([0.04, 0.37, 0.71]) * width).astype(int)]
    assert (cells[0, 0] == cells[0, 2]).all()
    assert len({tuple(color) for color in cells.reshape(-1, 3)}) == 5


def test_without_a_vocabulary_they_are_lines():
    assert gallery.draw(X).size != gallery.draw(X, vocabulary=500).size


def test_a_file_is_a_line_of_numbers():
    assert tokens.text(X[1]) == b"499 0 12\n"


def test_series_of_several_numbers_are_refused():
    with pytest.raises(InputError, match=r"drawn as \[N, T, 1\]; got \[2, 3, 2\]"):
        tokens.draw(np.zeros((2, 3, 2)))
