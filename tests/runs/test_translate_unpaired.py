"""A run of unpaired translation resumes to the same bits and is one curve on two devices; genjax.translate --to."""

import shutil

import numpy as np
import pytest
from helpers import assert_same, config_of, eight_devices, ending, run
from PIL import Image

import genjax
from experiments.scaling.drift import distances
from experiments.scaling.drift import train as train_on
from genjax.errors import InputError
from genjax.run.recorder import Recorder
from genjax.run.training import train


def config():
    """Clothes at 8x8, with crops, mirror images, noise, pools that are full after two steps, and averages."""
    c = config_of("cyclegan", steps=4, sample_every=2, save_every=2, keep=4, batch=2, pool=3, jitter=2)
    c.data.update(name="unpaired:class:7:fashion_mnist_10k,class:9:fashion_mnist_10k", split="train[:90]")
    c.data.update(size="8", resize="squash", upscale=False, channels=0)
    c.generator = {"net": "resnet", "channels": (3, 4), "blocks": 1, "dropout": 0.5}
    c.critic = {"net": "patchgan", "channels": (3, 4), "spectral": True}
    c.ema.half_life = 50.0
    c.eval.update(every=4, metrics="cycle", heldout="test[:90]")
    return c


@pytest.fixture(scope="module")
def trained(tmp_path_factory, traced_once):
    """Traced once: what is resumed here is its pools and averages; tests/runs/test_resume.py traces again."""
    path = tmp_path_factory.mktemp("runs") / "clothes"
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
    assert any("pool_a" in key for key in found)
    assert any("Round trip, mean absolute error, of A" in str(row) for row in found.values())


@pytest.mark.slow
def test_two_devices_give_one_curve():
    with eight_devices() as call:
        one, two = (call(train_on, config(), count, "float64") for count in (1, 2))
    for name, distance in distances(two, one).items():
        assert distance < 1e-11, name


def test_each_direction_translates_images_of_any_size(trained, tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (11, 6), np.uint8)
    Image.fromarray(x).save(tmp_path / "x.png")
    made = {}
    for to in ("a", "b"):
        out = tmp_path / f"{to}.png"
        arguments = (f"--workdir={trained}", f"--images={tmp_path}/x.png", f"--out={out}", f"--to={to}")
        done = run("genjax.translate", *arguments)
        assert done.code == 0, done.err
        with Image.open(out) as image:
            assert (image.size, image.mode) == ((6, 11), "L")
            made[to] = np.asarray(image)
    assert (made["a"] != made["b"]).any()
    loaded = genjax.load(trained)
    np.testing.assert_array_equal(loaded.translate(x[None, ..., None], to="a")[0, ..., 0], made["a"])
    with pytest.raises(InputError, match=r"to=c: .* has no such direction; expected b or a"):
        loaded.translate(x[None, ..., None], to="c")
    with pytest.raises(InputError, match=r"x is uint8 \[11, 6\]: expected uint8 \[N, H, W, C\]"):
        loaded.translate(x)
    with pytest.raises(
        InputError, match=r"x is uint8 \[2, 8, 8, 3\]: .* C 1, as the inputs of .* have, or 2, as its pairs"
    ):
        loaded.translate(np.zeros((2, 8, 8, 3), np.uint8))  # in color, of which the first channel would be red
