"""A TimeGAN of series of unequal lengths: resumed to the same bits, one curve on two devices, and its commands."""

import shutil

import numpy as np
import pytest
from helpers import assert_same, config_of, eight_devices, ending, rows, run

from experiments.scaling.drift import distances
from experiments.scaling.drift import train as train_on
from genjax.evaluation import series_metrics
from genjax.run.recorder import Recorder
from genjax.run.training import train

LENGTHS = np.arange(40) % 3 + 3


def config(folder, **overrides):
    sizes = {"steps": 4, "batch": 8, "sample_every": 4, "save_every": 2, "recurrent__layers": 2}
    sizes |= {"embedding__steps": 0, "supervision__steps": 0}  # phases that the slow tier has
    c = config_of("timegan", data__name=f"series:{folder / 'x.npz'}", **sizes | overrides)
    c.ema.half_life, c.eval.samples = 50.0, 40
    c.eval.update(every=4, metrics="discriminative,reconstruction", heldout="train[30:]")
    return c


def quickly(patch):
    """Scores of a few steps, and no report."""
    patch.setattr(Recorder, "report", lambda self: None)
    for name in ("DISCRIMINATIVE_STEPS", "REPEATS"):
        patch.setattr(series_metrics, name, 2)


@pytest.fixture(scope="module")
def place(tmp_path_factory, traced_once):
    """Series from -10 to 10, and a run of them, which is traced once: tests/runs/test_resume.py traces again."""
    folder = tmp_path_factory.mktemp("series")
    x = np.random.default_rng(0).uniform(-10, 10, (40, 5, 2)).astype(np.float32)
    np.savez(folder / "x.npz", x=x, lengths=LENGTHS)
    with pytest.MonkeyPatch.context() as patch:
        quickly(patch)
        assert train(config(folder), folder / "run") == 0
    return folder


@pytest.mark.heavy
def test_a_run_that_was_cut_short_ends_at_the_same_bits(place, tmp_path, monkeypatch):
    quickly(monkeypatch)
    shutil.copytree(place / "run", tmp_path / "x")
    shutil.rmtree(tmp_path / "x" / "checkpoints" / "00000004")
    (tmp_path / "x" / "samples" / "step_00000004.png").unlink()
    assert train(config(place), tmp_path / "x") == 0
    assert_same(ending(tmp_path / "x"), ending(place / "run"))
    evaluated = str(rows(tmp_path / "x"))
    for label in ("Discriminative score", "mean squared error"):
        assert label in evaluated, label


@pytest.mark.slow
def test_two_devices_give_one_curve(place):
    with eight_devices() as call:
        whole = config(place, embedding__steps=2, supervision__steps=2)
        one, two = (call(train_on, whole, count, "float64") for count in (1, 2))
    for name, distance in distances(two, one).items():
        assert distance < 1e-11, name


@pytest.mark.heavy
def test_samples_and_views_as_typed(place, tmp_path):
    done = run("genjax.sample", f"--workdir={place / 'run'}", "--seeds=0-19", f"--out={tmp_path / 'x.npy'}")
    assert done.code == 0, done.err
    x = np.load(tmp_path / "x.npy")
    assert x.shape == (20, 5, 2)
    assert set(np.isfinite(x).all(-1).sum(1)) <= {3, 4, 5}
    assert np.nanmin(x) >= -10
    assert np.nanmax(x) <= 10
    done = run("genjax.show", f"--workdir={place / 'run'}", "--what=series", f"--out={tmp_path / 'images'}")
    assert done.code == 0, done.err
    assert (tmp_path / "images" / "series_pca.png").exists()
    refused = run("genjax.sample", f"--workdir={place / 'run'}", "--truncation=0.7", f"--out={tmp_path / 'y.npy'}")
    assert refused.code == 2
    assert "latents of task 'timegan' are uniform" in refused.err
