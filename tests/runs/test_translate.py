"""A run of translation resumes to the same bits and is one curve on two devices; genjax.translate as typed."""

import shutil

import numpy as np
import pytest
from helpers import assert_same, config_of, eight_devices, ending, run
from PIL import Image

from experiments.scaling.drift import distances
from experiments.scaling.drift import train as train_on
from genjax.run.recorder import Recorder
from genjax.run.training import train


def config():
    """Holes filled at 8x8, with noise, crops and an average: all that the task draws."""
    c = config_of("inpaint", steps=4, sample_every=2, save_every=2, keep=4, batch=4, jitter=3, ema__half_life=50.0)
    c.data.update(name="freeform:fashion_mnist_10k", split="train[:28]", size="8", resize="squash")
    c.generator = {"net": "unet", "channels": (4, 6), "dropout_stages": 1}
    c.critic = {"net": "patchgan", "channels": (4, 4)}
    c.eval.update(every=4, metrics="translation", heldout="test[:10]")
    return c


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "inpaint"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "report", lambda self: None)
        assert train(config(), path) == 0
    return path


def test_a_run_that_was_cut_short_ends_at_the_same_bits(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)
    shutil.copytree(trained, tmp_path / "x")
    shutil.rmtree(tmp_path / "x" / "checkpoints" / "00000004")
    (tmp_path / "x" / "samples" / "step_00000004.png").unlink()
    assert train(config(), tmp_path / "x") == 0
    found = ending(tmp_path / "x")
    assert_same(found, ending(trained))
    assert "step_00000004.png" in found
    assert any("Translation, PSNR" in str(row) for row in found.values())


@pytest.mark.slow
def test_two_devices_give_one_curve():
    with eight_devices() as call:
        one, two = (call(train_on, config(), count, "float64") for count in (1, 2))
    for name, distance in distances(two, one).items():
        assert distance < 1e-11, name


@pytest.fixture
def images(tmp_path):
    """Images with holes, of other sizes than that of training."""
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    for name, size in (("a.png", (8, 8)), ("sub/b.webp", (11, 6))):
        x = np.full((*size, 2), 200, np.uint8)
        x[2:4, 2:4] = 0
        Image.fromarray(x, "LA").save(folder / name, lossless=True)
    return folder


def test_a_folder_is_translated_with_its_names(trained, images, tmp_path):
    out = tmp_path / "out"
    done = run("genjax.translate", f"--workdir={trained}", f"--images={images}", f"--out={out}")
    assert done.code == 0, done.err
    assert f"2 translations: {out}" in done.out
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.png")) == ["a.png", "sub/b.png"]
    with Image.open(out / "sub" / "b.png") as image:
        assert (image.size, image.mode) == ((6, 11), "L")


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"images": "{images}/none.png"}, "none.png does not exist"),
        ({"images": "{images}", "out": "{images}/x.png"}, "--images is a folder, so expected a folder"),
        ({"images": "{images}/a.png", "out": "{images}/x.jpg"}, "expected a .png"),
        ({"workdir": "{images}"}, "is not a run's folder"),
        ({"to": "b"}, "has no such direction; expected none, since its pairs have one direction"),
        ({"images": "{images}/full.png"}, "full.png has no hole: make transparent what is to be filled"),
    ],
)
def test_what_cannot_be_translated_is_refused(flags, text, trained, images, tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(images / "full.png")
    given = {"workdir": str(trained), "images": "{images}/a.png", "out": str(tmp_path / "out")} | flags
    arguments = [f"--{name}={value.format(images=images)}" for name, value in given.items()]
    run("genjax.translate", *arguments).assert_refused(text)
    assert not (tmp_path / "out").exists()
