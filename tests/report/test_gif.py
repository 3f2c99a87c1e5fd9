"""GIFs: evenly chosen frames, sharp pixels, no flicker, a small file."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from genjax.errors import InputError
from genjax.report import figures, gif


def test_a_gif_has_its_frames_evenly_chosen_and_holds_the_last(tmp_path):
    frames = []
    for i in range(100):
        frames.append(tmp_path / f"step_{i:08d}.png")
        Image.fromarray(np.full((16, 16), 2 * i, np.uint8)).save(frames[-1])
    gif.save_gif(tmp_path / "samples.gif", frames, seconds=6, most=20)
    with Image.open(tmp_path / "samples.gif") as file:
        frames_of_file = ImageSequence.Iterator(file)
        shown = [(frame.convert("L").getpixel((0, 0)), frame.info["duration"]) for frame in frames_of_file]
    assert len(shown) == 20
    levels = [level for level, _ in shown]
    assert levels == sorted(levels)
    assert levels[0] < 5
    assert levels[-1] > 195
    assert [duration for _, duration in shown] == [300] * 19 + [2000]


def test_a_gif_of_an_enlarged_image_has_its_sharp_pixels_and_exact_white(tmp_path):
    rng, frames = np.random.default_rng(0), []
    for i in range(3):
        images = rng.integers(0, 256, (4, 28, 28, 3), dtype=np.uint8)
        frames.append(tmp_path / f"{i}.png")
        figures.save_png(frames[-1], figures.grid(images, pad=2))
    gif.save_gif(tmp_path / "samples.gif", frames)
    with Image.open(tmp_path / "samples.gif") as file:
        assert file.info["loop"] == 0  # for ever
        pixels = np.asarray(file.convert("RGB"))
    factor = len(pixels) // 62  # 2 (28 + 2) + 2
    assert pixels.shape == (62 * factor, 62 * factor, 3)
    assert factor > 1
    np.testing.assert_array_equal(pixels, pixels[::factor, ::factor].repeat(factor, 0).repeat(factor, 1))
    assert (pixels[: 2 * factor] == 255).all()


def test_a_gif_does_not_flicker_where_nothing_changes(tmp_path):
    rng, frames = np.random.default_rng(0), []
    still = rng.integers(0, 256, (300, 150, 3), dtype=np.uint8)
    for i in range(4):
        moving = rng.integers(0, 256, (300, 150, 3), dtype=np.uint8)
        frames.append(tmp_path / f"{i}.png")
        Image.fromarray(np.concatenate([still, moving], 1)).save(frames[-1])
    gif.save_gif(tmp_path / "samples.gif", frames)
    with Image.open(tmp_path / "samples.gif") as file:
        shown = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]
    assert all((frame[:, :150] == shown[0][:, :150]).all() for frame in shown)
    assert np.abs(shown[0][:, :150].astype(int) - still).mean() < 30  # 128 colors for noise, yet near


def test_a_gif_stays_small_whatever_its_frames(tmp_path):
    rng, frames = np.random.default_rng(0), []
    for i in range(20):
        frames.append(tmp_path / f"{i}.png")
        size = 700 if i else 350  # another size, as after a change of the task
        Image.fromarray(rng.integers(0, 256, (size, size), dtype=np.uint8)).save(frames[-1], compress_level=0)
    gif.save_gif(tmp_path / "samples.gif", frames)
    assert (tmp_path / "samples.gif").stat().st_size <= gif.GIF_BYTES
    with Image.open(tmp_path / "samples.gif") as file:
        assert file.n_frames >= 12
        assert file.size == (400, 400)


def test_a_gif_says_what_it_cannot_show(tmp_path):
    with pytest.raises(InputError, match="at least one frame"):
        gif.save_gif(tmp_path / "samples.gif", [])
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InputError, match=r"broken\.png"):
        gif.save_gif(tmp_path / "samples.gif", [tmp_path / "broken.png"])
    assert not (tmp_path / "samples.gif").exists()
