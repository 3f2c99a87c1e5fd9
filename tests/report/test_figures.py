"""Pictures: exact pixels, whole files, curves that nothing breaks."""

import errno
import os

import numpy as np
import pytest
from PIL import Image, ImageSequence

from genjax.errors import InputError
from genjax.report import figures, files


def test_a_grid_puts_every_picture_where_it_belongs():
    images = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 4, 1), np.uint8)
    sheet = np.array(figures.grid(images, columns=3, pad=2, scale=1))
    assert sheet.shape == (2 + 2 * (3 + 2), 2 + 3 * (4 + 2))
    for i in range(6):
        top, left = 2 + (i // 3) * 5, 2 + (i % 3) * 6
        assert (sheet[top : top + 3, left : left + 4] == i).all()
        sheet[top : top + 3, left : left + 4] = 255
    assert (sheet == 255).all()  # all else is white


def test_a_small_grid_is_enlarged_without_smoothing():
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    small, large = np.asarray(figures.grid(images, scale=1)), np.asarray(figures.grid(images))
    factor = len(large) // len(small)
    assert factor > 1
    np.testing.assert_array_equal(large[::factor, ::factor], small)


@pytest.mark.parametrize(
    "images", [np.zeros((2, 4, 4, 2), np.uint8), np.zeros((2, 4, 4, 1)), np.zeros((0, 4, 4, 1), np.uint8)]
)
def test_a_grid_says_what_it_cannot_show(images):
    with pytest.raises(InputError, match="a grid shows uint8"):
        figures.grid(images)


def test_a_scatter_plot_counts_what_is_outside_and_keeps_its_limits():
    data = np.random.default_rng(0).normal(size=(200, 2))
    near, far = figures.scatter(data, data), figures.scatter(data * 100, data)
    assert near.size == far.size == (640, 640)
    assert np.asarray(near).std() > 0
    with pytest.raises(InputError, match=r"\[N, 2\]"):
        figures.scatter(np.zeros((3, 4)))


@pytest.mark.parametrize("fault", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, fault):
    target = tmp_path / "grid.png"
    files.write_bytes(target, b"old")

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, fault, fail)
    with pytest.raises(OSError, match="No space"):
        files.write_bytes(target, b"new")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["grid.png"]
    assert target.read_bytes() == b"old"


def test_a_gif_has_its_frames_evenly_chosen_and_holds_the_last(tmp_path):
    frames = []
    for i in range(100):
        frames.append(tmp_path / f"step_{i:08d}.png")
        Image.fromarray(np.full((16, 16), 2 * i, np.uint8)).save(frames[-1])
    figures.save_gif(tmp_path / "samples.gif", frames, seconds=6, most=30)
    with Image.open(tmp_path / "samples.gif") as gif:
        shown = [(frame.convert("L").getpixel((0, 0)), frame.info["duration"]) for frame in ImageSequence.Iterator(gif)]
    assert len(shown) == 30
    levels = [level for level, _ in shown]
    assert levels == sorted(levels)
    assert levels[0] < 5
    assert levels[-1] > 195
    assert [duration for _, duration in shown] == [200] * 29 + [2000]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"step": 1, "critic/loss": 0.5}],
        [
            {"step": s, "critic/loss": float("nan") if s == 3 else 0.1 * s, "generator/loss": float("inf")}
            for s in range(9)
        ],
        [{"step": s, "critic/loss": 10.0**s, "critic/note": "text"} for s in range(8)],
        [{"step": s, "a": s, "b": 1000 * s, "c/x": -s} for s in range(100)],
    ],
    ids=["empty", "one row", "not finite", "decades and text", "several panels"],
)
def test_curves_are_drawn_from_any_rows(tmp_path, rows):
    figures.curves(rows, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.width > 1000
        assert np.asarray(image.convert("L")).std() > 1


def test_metrics_are_read_around_a_broken_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 2, "a": 1}\n{"step": 1, "a": 0}\n{"step": 2, "a": 3}\n{"step": 3, "a"')
    assert files.read_metrics(path) == [{"step": 1, "a": 0}, {"step": 2, "a": 3}]
    assert files.read_metrics(tmp_path / "none.jsonl") == []
