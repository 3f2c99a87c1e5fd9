"""Films: paths that close and pass through their seeds, in three formats, and refusals."""

import io

import numpy as np
import pytest
from helpers import config_of, run, saved_run
from PIL import Image, ImageSequence

from genjax.film import path_of
from genjax.interpolation import lerp, slerp, within_class
from genjax.report import film
from genjax.run.training import train

STATIONS = np.array([[2.0, 0, 1, 0], [0, 3.0, 0, 1], [-1.0, 0, 1, 0]])  # a vector and a one-hot of two classes


def test_a_path_passes_through_its_stations_and_closes():
    path = path_of(STATIONS, 5, 3, "z", classes=2)
    assert path.shape == (15, 3, 4)
    for i in range(3):  # each film begins at another station
        np.testing.assert_allclose(path[::5, i], np.roll(STATIONS, -i, 0))
    steps = np.linalg.norm(np.diff(path[:, 0], axis=0, append=path[:1, 0]), axis=-1)
    assert steps[-1] < 2 * steps[:5].max()  # the step from the last frame to the first is one like the others
    np.testing.assert_allclose(path[..., 2:].sum(-1), 1)  # classes are blended, and stay shares


def test_a_path_in_z_turns_and_one_in_w_is_straight():
    z = path_of(STATIONS[:2], 4, 1, "z", classes=2)[:4, 0]
    t = np.array([0, 0.25, 0.5, 0.75])
    t = t * t * (3 - 2 * t)
    np.testing.assert_allclose(np.linalg.norm(z[:, :2], axis=-1), 2 + t)  # lengths from 2 to 3, not shortened between
    np.testing.assert_allclose(path_of(STATIONS[:2], 4, 1, "w", 0)[:4, 0], lerp(STATIONS[:1], STATIONS[1:2], t))


def test_a_class_is_blended_linearly_while_the_latent_turns():
    path = within_class(slerp, 2)(STATIONS[0], STATIONS[1], 0.25)
    np.testing.assert_allclose(path[:2], slerp(STATIONS[0, :2], STATIONS[1, :2], 0.25))
    np.testing.assert_allclose(path[2:], [0.75, 0.25])


@pytest.fixture(scope="module")
def frames():
    """Images that differ."""
    rng = np.random.default_rng(0)
    return [Image.fromarray(x) for x in rng.integers(0, 256, (6, 40, 40, 3), np.uint8)]


def test_a_webp_has_all_frames_without_loss(frames, tmp_path):
    film.save(tmp_path / "x.webp", frames, 3.0)
    with Image.open(tmp_path / "x.webp") as image:
        assert image.n_frames == 6
        assert image.info["loop"] == 0
        for expected, actual in zip(frames, ImageSequence.Iterator(image), strict=True):
            np.testing.assert_array_equal(np.asarray(actual.convert("RGB")), np.asarray(expected))


def test_a_gif_has_all_frames_and_no_pause_at_its_end(frames, tmp_path):
    film.save(tmp_path / "x.gif", frames, 3.0)
    with Image.open(tmp_path / "x.gif") as image:
        assert {frame.info["duration"] for frame in ImageSequence.Iterator(image)} == {500}
        assert image.n_frames == 6


def test_an_mp4_has_all_frames(frames, tmp_path):
    av = pytest.importorskip("av")
    film.save(tmp_path / "x.mp4", frames, 3.0)
    with av.open(io.BytesIO((tmp_path / "x.mp4").read_bytes())) as video:
        assert len(list(video.decode(video=0))) == 6


@pytest.mark.heavy
def test_the_first_frames_between_seeds_are_their_samples(tmp_path):
    assert train(config_of("gan"), tmp_path / "run") == 0
    arguments = [f"--workdir={tmp_path / 'run'}", "--seeds=3,7", "--seconds=0.2", "--fps=10"]
    done = run("genjax.film", *arguments, f"--out={tmp_path / 'x.webp'}")
    assert done.code == 0, done.err
    assert "4 frames, 0.4 s" in done.out
    assert run("genjax.sample", arguments[0], "--seeds=3,7", f"--out={tmp_path}/x.npy").code == 0
    samples = np.load(tmp_path / "x.npy")
    with Image.open(tmp_path / "x.webp") as image:
        actual = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(image)][::2]
    scale = actual[0].shape[0] // (28 + 2 * 2)  # a border of two pixels, enlarged with the image
    middle = slice(2 * scale + scale // 2, (28 + 2) * scale, scale)
    np.testing.assert_array_equal([x[middle, middle] for x in actual], samples[..., 0])
    for wrong, text in {
        "--noise=random": "only StyleGANs have noise",
        "--out=x.avi": "a name that ends in .gif, .webp, .mp4",
        "--seeds=3": "expected two seeds or more",
        "--seconds=900": "at most 3,000 frames",
        "--space=w": "has no output 'map'",
        "--labels=Bag": "the run has no classes",
    }.items():
        run("genjax.film", *arguments, wrong).assert_refused(text)


@pytest.mark.heavy
@pytest.mark.parametrize("space", ["w", "z"])
def test_a_stylegans_frames_at_the_seeds_are_its_samples(space, tmp_path):
    """With its noise and its truncation, on either path."""
    small = {"generator__channels": (6, 4), "critic__channels": (6, 4), "generator__layers": 2}
    saved_run("stylegan2", tmp_path / "run", data__size="8", data__resize="squash", **small)
    arguments = [f"--workdir={tmp_path / 'run'}", "--seeds=3,7", "--truncation=0.6", "--noise=none"]
    path = [f"--space={space}", "--seconds=0.1", "--fps=20", f"--out={tmp_path / 'x.webp'}"]
    done = run("genjax.film", *arguments, *path)
    assert done.code == 0, done.err
    assert run("genjax.sample", *arguments, f"--out={tmp_path}/x.npy").code == 0
    samples = np.load(tmp_path / "x.npy")
    with Image.open(tmp_path / "x.webp") as image:
        actual = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)][::2]
    side = samples.shape[1]
    scale = actual[0].shape[0] // (side + 2 * 2)
    middle = slice(2 * scale + scale // 2, (side + 2) * scale, scale)
    for frame, sample in zip(actual, samples, strict=True):
        assert np.abs(frame[middle, middle].astype(int) - sample).max() <= 1
