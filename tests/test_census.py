"""The command: what it prints, the files that it writes, and what it refuses."""

import json

import numpy as np
import pytest
from helpers import run
from PIL import Image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of four images of two sizes, and a broken one in a name that is not ASCII."""
    root = tmp_path_factory.mktemp("census") / "two classes"
    for i in range(8):
        path = root / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        x = np.random.default_rng(i).integers(0, 256, (20 + i % 3, 24, 3), np.uint8)
        Image.fromarray(x).save(path)
    (root / "a" / "é.png").write_bytes(b"nothing")
    return root


def test_prints_the_census_and_writes_its_files(folder, tmp_path):
    outputs = [f"--{flag}={tmp_path / name}" for flag, name in FILES.items()]
    done = run("genjax.census", f"--data={folder}", "--size=16", *outputs)
    assert done.code == 0, done.err
    assert done.compiled == 0
    assert "8 images, 1 broken" in done.out
    assert f"'--config.data.name=folder:{folder}'" in done.out  # the name has a space in it
    assert "--config.data.size=16" in done.out
    assert "a/é.png: not an image that Pillow reads" in done.out
    assert (tmp_path / "broken.txt").read_text("utf-8") == "a/é.png\n"
    content = json.loads((tmp_path / "census.json").read_text())
    assert content["classes"] == {"a": 4, "b": 4}
    assert content["files"]["sizes"] == {"20x24": 3, "21x24": 3, "22x24": 2}
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 4 * 64
        assert np.asarray(sheet).std() > 10


FILES = {"out": "sheet.png", "broken": "broken.txt", "json": "census.json"}


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["arc3d", "series"])
def test_points_and_series_are_drawn(name, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.random.default_rng(0).random((5, 8, 2)))
    data = {"series": f"series:{tmp_path}/x.npz"}.get(name, name)
    done = run("genjax.census", f"--data={data}", f"--out={tmp_path}/x.png")
    assert done.code == 0, done.err
    assert (tmp_path / "x.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--data=emoji_46"], ["unknown", "emoji_64"]),
        (["--data=folder:/nowhere"], ["does not exist"]),
        (["--data=emoji_32", "--out=x.jpg"], ["--out=x.jpg: expected a .png"]),
        (["--data=emoji_32", "--json=x.txt"], ["--json=x.txt: expected a .json"]),
        (["--data=emoji_32", "--split=all"], ["no split 'all'"]),
        (["--data=emoji_32", "--size=big"], ["is not a size"]),
        (
            ["--data=emoji_32", "--count=5", "--broken=/proc/none/x.txt"],
            ["--broken=/proc/none/x.txt cannot be written"],
        ),
    ],
)
def test_refuses(arguments, texts):
    run("genjax.census", *arguments).assert_refused(*texts)
