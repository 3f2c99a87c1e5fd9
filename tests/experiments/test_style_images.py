"""The squares that style transfer learns from."""

import numpy as np
import pytest
from helpers import run
from PIL import Image

from experiments.style.images import squares


@pytest.fixture
def photo(tmp_path):
    y, x = np.mgrid[:90, :120]
    path = tmp_path / "photos" / "inner" / "a.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(np.uint8(np.stack([2 * x, 2 * y, 0 * x], -1))).save(path)
    return path


def test_squares_are_of_random_places_and_sizes_and_the_same_each_time(photo):
    found = list(squares(photo, 6, 16))
    assert [square.shape for square in found] == [(16, 16, 3)] * 6
    np.testing.assert_array_equal(found, list(squares(photo, 6, 16)))
    widths = [int(square[8, -1, 0]) - int(square[8, 0, 0]) for square in found]
    heights = [int(square[-1, 8, 1]) - int(square[0, 8, 1]) for square in found]
    np.testing.assert_allclose(widths, heights, atol=4)  # square in the image as well
    assert max(widths) > 1.3 * min(widths)
    assert max(widths) <= 2 * 90


def test_it_writes_squares_or_textures(photo, tmp_path):
    out = tmp_path / "squares"
    done = run("experiments.style.images", f"--images={tmp_path / 'photos'}", f"--out={out}", "--each=2", "--size=16")
    assert done.code == 0, done.err
    assert sorted(path.name for path in out.iterdir()) == ["0000_a_00.png", "0000_a_01.png"]
    assert run("experiments.style.images", "--textures=2", f"--out={out}", "--size=16").code == 0
    with Image.open(out / "texture_0001.png") as image:
        assert image.size == (16, 16)


@pytest.mark.parametrize("flags", [[], ["--images=a", "--textures=1"], ["--images=nowhere"]])
def test_what_it_cannot_cut_is_refused(flags, tmp_path):
    done = run("experiments.style.images", *flags, f"--out={tmp_path / 'x'}")
    assert done.code == 2
    assert "expected either --images" in done.err or "--images=nowhere: no .png" in done.err
