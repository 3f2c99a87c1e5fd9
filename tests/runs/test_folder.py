"""What a run leaves in its folder, and what can be made of that folder alone."""

import json
import platform
import shutil
from importlib import metadata

import jax
import numpy as np
import pytest
from helpers import checkpoints, config_of, run
from PIL import Image

from genjax import data
from genjax.config import flat
from genjax.engine import loop
from genjax.errors import InputError
from genjax.run.recorder import Recorder
from genjax.run.training import train
from genjax.sample import parse_seeds, sample


@pytest.fixture(scope="module")
def config(images):
    """Makes a short run's config, with an average."""

    def make(**overrides):
        given = {"steps": 8, "log_every": 4, "sample_every": 2, "save_every": 4, "samples": 9, "ema__half_life": 50.0}
        given |= {"generator__widths": (100, 150)}  # wide enough for XLA to sum in another order at another batch size
        return config_of("gan", **given | {"data__name": f"folder:{images}"} | overrides)

    return make


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    """A finished run with event files, whose data are gone."""
    path = tmp_path_factory.mktemp("trained")
    assert train(config(), path, tensorboard=True) == 0
    return path


@pytest.fixture
def _no_data(monkeypatch):
    def refuse(config):
        raise AssertionError("the data were asked for")

    monkeypatch.setattr(data, "load", refuse)


def test_a_runs_folder_has_all_that_is_promised(trained):
    names = {path.name for path in trained.iterdir() if not path.name.startswith(".")}
    promised = {"config.json", "metrics.jsonl", "checkpoints", "samples", "samples.gif", "curves.png", "report.html"}
    assert names == promised | {"tensorboard", "trackers.json"}
    assert checkpoints(trained) == [4, 8]


def test_config_json_says_what_was_run_on_what(trained, config, images):
    about = json.loads((trained / "config.json").read_text())
    assert flat(about["config"]) == flat(config())
    assert about["versions"]["python"] == platform.python_version()
    for package in ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "genjax-models"):
        assert about["versions"][package] == metadata.version(package)
    device = jax.devices()[0]
    assert about["device"] == {"platform": "cpu", "kind": device.device_kind, "count": jax.device_count()}
    source = data.load(config().data)
    assert about["data"]["fingerprint"] == source.fingerprint
    assert (about["data"]["size"], about["data"]["shape"]) == (20, [28, 28, 1])
    # Dense layers 30-100-150-784 and 784-8-8-1, each with its bias.
    assert about["parameters"] == {
        "generator": 30 * 100 + 100 + 100 * 150 + 150 + 150 * 784 + 784,
        "critic": 784 * 8 + 8 + 8 * 8 + 8 + 8 + 1,
    }
    assert about["git"] is None or (len(about["git"]["commit"]) == 40 and isinstance(about["git"]["dirty"], bool))


def test_a_row_of_metrics_is_the_mean_over_the_steps_since_the_last_row(config, tmp_path, trained, monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)
    assert train(config(log_every=1), tmp_path) == 0
    every = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    fourth = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in every] == list(range(1, 9))
    assert [row["step"] for row in fourth] == [4, 8]
    for i, row in enumerate(fourth):
        assert row.keys() == {
            "step", "seconds", "images_per_second", "generator/loss", "critic/loss", "critic/real", "critic/fake",
            "samples/diversity",
        }  # fmt: skip
        assert row["seconds"] > 0
        assert row["images_per_second"] > 0
        for name in ("generator/loss", "critic/loss"):
            mean = np.mean([r[name] for r in every[4 * i : 4 * i + 4]])
            np.testing.assert_allclose(row[name], mean, rtol=1e-6)  # another executable may round otherwise


def test_the_samples_are_one_grid_of_the_same_seeds_at_every_interval(trained):
    names = [path.name for path in sorted((trained / "samples").iterdir())]
    assert names == [f"step_{step:08d}.png" for step in (0, 2, 4, 6, 8)]
    with Image.open(trained / "samples" / names[0]) as first, Image.open(trained / "samples" / names[-1]) as last:
        assert first.size == last.size
        assert first.tobytes() != last.tobytes()
    with Image.open(trained / "samples.gif") as gif:
        assert gif.n_frames == len(names)


def test_the_page_is_self_contained(trained):
    page = (trained / "report.html").read_text()
    assert page.count("data:image/") >= 3  # the curves, the first and the last grid
    assert 'src="http' not in page
    assert "<script src" not in page


def test_event_files_hold_the_rows(trained):
    (file,) = (trained / "tensorboard").iterdir()
    content = file.read_bytes()
    for name in (b"generator/loss", b"critic/loss", b"samples"):
        assert name in content


# -- one compile a phase


@pytest.mark.parametrize("resident_gib", [1.0, 0.0])
def test_a_run_of_calls_of_many_lengths_compiles_its_phase_once(resident_gib, config, tmp_path, monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)
    real, made, lengths = loop.compile_phase, [], []

    def watched(*args, **options):
        made.append(real(*args, **options))

        def call(state, bank, picks, count, key):
            lengths.append(count)
            return made[-1](state, bank, picks, count, key)

        return call

    monkeypatch.setattr(loop, "compile_phase", watched)
    monkeypatch.setattr(loop, "CALL_SECONDS", 1e9)
    every = {"log_every": 5, "sample_every": 7, "save_every": 11, "data__resident_gib": resident_gib}
    assert train(config(steps=23, **every), tmp_path) == 0
    # The first call is of one step; then up to each multiple of 5, 7 and 11, and the end.
    assert lengths == [1, 4, 2, 3, 1, 3, 1, 5, 1, 1, 1]
    assert [jitted._cache_size() for jitted in made] == [1]


# -- samples from the folder alone


@pytest.mark.usefixtures("_no_data")
@pytest.mark.parametrize("count", [1, 3, 17, 64])
def test_a_seed_gives_the_same_bytes_whatever_other_seeds_are_asked_for(count, trained):
    all_of_them = sample(trained, range(64))
    assert all_of_them.shape == (64, 28, 28, 1)
    assert all_of_them.dtype == np.uint8
    assert len(np.unique(all_of_them.reshape(64, -1), axis=0)) == 64
    chosen = np.random.default_rng(count).permutation(64)[:count]
    np.testing.assert_array_equal(sample(trained, chosen), all_of_them[chosen])


def test_sample_gives_the_image_that_training_made_of_a_step(trained, tmp_path):
    for step in (4, 8):
        done = run("genjax.sample", f"--workdir={trained}", "--seeds=0-8", f"--out={tmp_path}/x.png", f"--step={step}")
        assert done.code == 0, done.err
        assert (tmp_path / "x.png").read_bytes() == (trained / "samples" / f"step_{step:08d}.png").read_bytes()


@pytest.mark.usefixtures("_no_data")
def test_the_average_the_plain_weights_and_the_steps_give_different_samples(trained):
    seeds = range(4)
    newest = sample(trained, seeds)
    np.testing.assert_array_equal(newest, sample(trained, seeds, step=8))
    for other in (sample(trained, seeds, ema=False), sample(trained, seeds, step=4)):
        assert (other != newest).any(axis=(1, 2, 3)).all()


@pytest.mark.usefixtures("_no_data")
def test_truncation_narrows_the_samples_around_the_latents_center(trained):
    """Latents within +-0.01 are nearly one latent, so the samples are nearly one image."""
    spread = [sample(trained, range(32), truncation=limit).std(axis=0).mean() for limit in (0.01, 0.5, None)]
    assert spread[0] < 1
    assert spread[0] < 0.5 * spread[1]
    assert spread[1] < spread[2]


def test_out_takes_an_array_a_folder_of_images_and_a_grid(trained, tmp_path):
    given = (f"--workdir={trained}", "--seeds=5,0-2")
    for out in ("x.npy", "each/", "x.png"):
        done = run("genjax.sample", *given, f"--out={tmp_path}/{out}")
        assert done.code == 0, done.err
        assert done.out.strip() == f"4 samples: {tmp_path}/{out}"
    expected = sample(trained, [5, 0, 1, 2])
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), expected)
    assert {path.name for path in (tmp_path / "each").iterdir()} == {f"seed_{seed:06d}.png" for seed in (5, 0, 1, 2)}
    for seed, image in zip((5, 0, 1, 2), expected, strict=True):
        with Image.open(tmp_path / "each" / f"seed_{seed:06d}.png") as file:
            np.testing.assert_array_equal(np.asarray(file), image[..., 0])
    with Image.open(tmp_path / "x.png") as grid:
        assert min(grid.size) >= 2 * 28  # two by two


def test_a_run_of_points_is_sampled_as_points(tmp_path, monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)
    assert train(config_of("gan", data__name="ring8", generator__output="linear"), tmp_path) == 0
    points = sample(tmp_path, range(5))
    assert points.shape == (5, 2)
    assert points.dtype == np.float32
    with Image.open(tmp_path / "samples" / "step_00000004.png") as image:
        assert image.width > 100


def test_seeds_are_numbers_and_ranges():
    assert parse_seeds("0-3, 7,5-5").tolist() == [0, 1, 2, 3, 7, 5]


def test_a_run_of_before_a_key_was_there_goes_on_at_its_default(trained, config, tmp_path, capsys):
    """Of the keys that a task gets later, an old run's config.json has none."""
    old = tmp_path / "old"
    shutil.copytree(trained, old)
    about = json.loads((old / "config.json").read_text())
    keys = about["config"]
    del keys["ada"], keys["penalty"]["separate_step"], keys["optimizer"]["critic"]["epsilon"]
    (old / "config.json").write_text(json.dumps(about))
    np.testing.assert_array_equal(sample(old, np.arange(4)), sample(trained, np.arange(4)))
    assert train(config(), old) == 0
    assert "all 8 steps are done" in capsys.readouterr().err
    about["config"]["penalty"]["r1"] = 1.0
    (old / "config.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"penalty.r1: 1.0 -> 0.0"):
        train(config(), old)
