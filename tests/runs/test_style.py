"""Runs of style transfer: their folder holds all that sampling needs, and changed images are noticed."""

import shutil

import numpy as np
import pytest
from helpers import config_of, run
from PIL import Image

from genjax.errors import InputError
from genjax.run.recorder import Recorder
from genjax.run.training import train


@pytest.fixture(autouse=True)
def _without_report(monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)


@pytest.fixture
def images(tmp_path):
    """A content, a style and a mask."""
    folder, rng = tmp_path / "images", np.random.default_rng(0)
    folder.mkdir()
    for name in ("content", "style", "mask"):
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(folder / f"{name}.png")
    return folder


def config(images, **overrides):
    c = config_of("style_gatys", coarse=(), steps=2, **overrides)
    c.data.update(name=f"image:{images}/content.png", size="")
    c.style.update(images=(f"{images}/style.png",), masks=(f"{images}/mask.png",))
    return c


@pytest.mark.parametrize("color", [pytest.param("", marks=pytest.mark.slow), "luma"])  # which needs the content
def test_a_finished_run_is_sampled_without_its_images_and_from_another_folder(color, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    c = config(images.relative_to(tmp_path), color=color)
    assert train(c, tmp_path / "run") == 0
    shutil.rmtree(images)
    done = run("genjax.sample", f"--workdir={tmp_path / 'run'}", "--seeds=0", f"--out={tmp_path}/x.png")
    assert done.code == 0, done.err
    preview = next((tmp_path / "run" / "samples").glob("step_*2.png"))
    with Image.open(tmp_path / "x.png") as x, Image.open(preview) as expected:
        np.testing.assert_array_equal(np.asarray(x)[:24, :24], np.asarray(expected)[:24, :24])


@pytest.mark.parametrize("name", ["content", "style", pytest.param("mask", marks=pytest.mark.slow)])  # as a style
def test_a_run_whose_image_has_changed_is_not_resumed_unless_forced(name, images, tmp_path):
    assert train(config(images), tmp_path / "run") == 0
    path = images / f"{name}.png"
    with Image.open(path) as image:
        pixels = np.array(image)
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(path)
    with pytest.raises(InputError, match=rf"holds a run of another config:[^/]*files\.[^ ]*{path}: \w+ -> \w+"):
        train(config(images), tmp_path / "run")
    assert train(config(images), tmp_path / "run", force=True) == 0
    assert train(config(images), tmp_path / "run") == 0  # the forced run recorded the new digest
