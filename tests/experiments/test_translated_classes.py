"""Shares of classes before and after a translation, by nets whose answers are known."""

import numpy as np
import pytest
from helpers import run

from experiments.translated_classes import Row, as_text, row


def test_shares_are_of_images_before_and_after():
    x = np.full((10, 2, 2, 1), 10, np.uint8)
    x[:2] = 200  # two look like the other class already

    def there(x):
        y = np.where(x < 100, 200, x)
        y[-3:] = 10  # three stay
        return np.uint8(y)

    def back(y):
        return np.uint8(y - 5)

    found = row("dark to light", x, 0, 1, there, back, lambda x: (x.mean((1, 2, 3)) > 100).astype(int))
    error = (2 * 5 + 5 * 185 + 3 * 5) / 10 / 255
    assert found[:5] == ("dark to light", 10, 0.2, 0.7, 0.3)
    assert found.error == pytest.approx(error)


def test_the_table_has_percent():
    text = as_text([Row("a to b", 200, 0.005, 0.9, 0.05, 0.0312)])
    assert "a to b" in text
    assert "0.5 %" in text
    assert "0.0312" in text


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    done = run("experiments.translated_classes", f"--workdir={tmp_path}", f"--classifier={tmp_path}")
    done.assert_refused("is not a run's folder")
