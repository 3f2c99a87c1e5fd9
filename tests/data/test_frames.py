"""Frames of films from folders and files, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from genjax.data.frames import read_film
from genjax.errors import InputError
from genjax.report import film

FRAMES = np.random.default_rng(0).integers(0, 256, (11, 24, 32, 3), np.uint8)


def saved(path, frames=FRAMES, seconds=2.2):
    film.save(path, [Image.fromarray(x) for x in frames], seconds)
    return path


def test_a_webp_is_read_as_it_was_written(tmp_path):
    found = read_film(saved(tmp_path / "x.webp"))
    np.testing.assert_array_equal(found.frames, FRAMES)
    assert found.fps == pytest.approx(5)


def test_a_gif_has_its_frames_at_the_size_asked_for(tmp_path):
    ramp = np.uint8([np.roll(np.arange(32) * 8, i)[None, :, None] * np.ones((24, 1, 3)) for i in range(11)])
    found = read_film(saved(tmp_path / "x.gif", ramp), lambda size: (size[0] // 2, size[1]))
    assert found.frames.shape == (11, 12, 32, 3)
    np.testing.assert_allclose(found.frames, ramp[:, ::2], atol=8)  # of the palette
    assert found.fps == pytest.approx(5)


def test_an_mp4_has_its_frames_and_rate(tmp_path):
    pytest.importorskip("av")
    gray = np.uint8([np.full((480, 480, 3), 40 + 15 * i) for i in range(11)])
    found = read_film(saved(tmp_path / "x.mp4", gray))
    assert found.frames.shape == gray.shape
    np.testing.assert_allclose(found.frames.mean((1, 2, 3)), 40 + 15 * np.arange(11), atol=4)
    assert found.fps == pytest.approx(5)


def test_a_folders_frames_are_in_the_order_of_their_numbers(tmp_path):
    for i, x in enumerate(FRAMES):
        Image.fromarray(x).save(tmp_path / f"frame{i}.png")  # frame10 after frame9
    found = read_film(tmp_path)
    np.testing.assert_array_equal(found.frames, FRAMES)
    assert found.fps is None


def test_what_is_no_film_is_refused(tmp_path):
    saved(tmp_path / "one.webp", FRAMES[:1])
    (tmp_path / "text.gif").write_text("no film")
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "sizes").mkdir()
    Image.fromarray(FRAMES[0]).save(tmp_path / "sizes" / "a.png")
    Image.fromarray(FRAMES[0, :20]).save(tmp_path / "sizes" / "b.png")
    for name, message in {
        "none.mp4": "does not exist: expected a folder of frames, or a .gif, .webp, .mp4",
        "one.webp": "has 1 frame: expected a film of two or more",
        "text.gif": "text.gif: cannot be read as a film",
        "text.mp4": "text.mp4: cannot be read as a film|a film that is an MP4 needs av",
        "sizes": "frame 2 is 20x32, the first 24x32",
    }.items():
        with pytest.raises(InputError, match=message):
            read_film(tmp_path / name)
