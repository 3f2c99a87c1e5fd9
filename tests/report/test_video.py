"""A video has its frames, in order and in their colors, or it is refused before anything is written."""

import io
import sys
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from genjax.errors import InputError
from genjax.report import video


def files(*colors):
    out = []
    for color in colors:
        out.append(io.BytesIO())
        Image.new("RGB", (31, 17), color).save(out[-1], "PNG")
        out[-1].seek(0)
    return out


def test_frames_in_order_and_in_their_colors(tmp_path):
    av = pytest.importorskip("av")
    colors = (200, 30, 40), (20, 180, 60), (30, 40, 210)
    video.save_mp4(tmp_path / "x.mp4", files(*colors), 1.5)
    with av.open(tmp_path / "x.mp4") as container:
        stream = container.streams.video[0]
        found = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert float(stream.average_rate) == pytest.approx(2)
    assert [x.shape for x in found] == [(272, 496, 3)] * 3
    for x, color in zip(found, colors, strict=True):
        assert np.abs(x.mean((0, 1)) - color).max() < 6


def test_without_frames_or_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", ModuleType("av"))
    with pytest.raises(InputError, match="at least one frame"):
        video.save_mp4(tmp_path / "x.mp4", [], 1.0)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"an MP4, unlike a GIF, needs av .* 'genjax-models\[video\]'"):
        video.save_mp4(tmp_path / "x.mp4", files((0, 0, 0)), 1.0)
    assert not list(tmp_path.iterdir())
