"""Images: exact pixels, whole files, curves that nothing breaks."""

import errno
import os

import numpy as np
import pytest
from PIL import Image

from genjax import files
from genjax.errors import InputError
from genjax.report import curves, figures
from genjax.run.records import read_metrics


def test_a_grid_puts_every_image_where_it_belongs():
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
    "images", [np.zeros((4, 4, 2), np.uint8), np.zeros((2, 4, 4, 1)), np.zeros((0, 4, 4, 1), np.uint8)]
)
def test_a_grid_says_what_it_cannot_show(images):
    with pytest.raises(InputError, match="a grid shows uint8"):
        figures.grid(images)


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


def test_a_write_follows_links_and_honors_the_umask(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "new folder" / "file")
    old = os.umask(0o027)
    try:
        files.write_bytes(tmp_path / "link", b"data")
    finally:
        os.umask(old)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new folder" / "file").read_bytes() == b"data"
    assert (tmp_path / "new folder" / "file").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to_and_not_replaced():
    files.write_bytes(os.devnull, b"data")
    assert not os.path.isfile(os.devnull)


def test_losses_have_a_panel_and_others_go_by_prefix_and_scale():
    rows = [
        {
            "step": s,
            "seconds": 1.0,
            "critic/loss": 0.6,
            "gen/loss": 0.8,
            "critic/real": 0.7,
            "critic/fake": 0.2,
            "critic/r1": 0.001,
            "eval/fid": 30.0,
            "note": "x",
            "flag": True,
        }
        for s in range(3)
    ]
    assert curves._panels(curves.series_of(rows)) == [
        ("losses", ["critic/loss", "gen/loss"]),
        ("critic", ["critic/fake", "critic/real"]),
        ("critic/r1", ["critic/r1"]),
        ("eval/fid", ["eval/fid"]),
    ]


def test_smoothing_keeps_a_line_straight_to_its_ends_and_around_gaps():
    values = np.full(100, 3.0)
    values[40:43] = np.nan
    np.testing.assert_allclose(curves._smooth(values, log=False), values, rtol=1e-12)
    np.testing.assert_allclose(curves._smooth(values, log=True), values, rtol=1e-12)


@pytest.mark.heavy
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
    curves.draw(rows, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.width > 1000
        assert np.asarray(image.convert("L")).std() > 1


def test_metrics_are_read_around_a_broken_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 2, "a": 1}\n{"step": 1, "a": 0}\n{"step": 2, "a": 3}\n{"step": 3, "a"')
    assert read_metrics(path) == [{"step": 1, "a": 0}, {"step": 2, "a": 3}]
    assert read_metrics(tmp_path / "none.jsonl") == []
