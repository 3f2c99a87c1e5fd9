"""Films in a style: what a frame takes over, and that it flickers less than frames painted alone."""

import numpy as np
import pytest
from helpers import run
from PIL import Image

from genjax.data.frames import read_film
from genjax.errors import InputError
from genjax.film_stylization import Descent, blending, flicker, painted
from genjax.optical_flow import Motion, need_opencv
from genjax.report import film
from genjax.stylization import gatys_config_of
from genjax.stylize import _write_film
from genjax.tasks.style.images import Carried

SIDE, STEP = 32, 4


@pytest.fixture(scope="module")
def moving():
    """Three frames of a smooth image that moves to the left, with the motion known exactly, and a style."""
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 256, (5, 8, 3)).repeat(8, 0).repeat(8, 1)
    frames = [np.uint8(wide[:SIDE, i : i + SIDE]) for i in (0, STEP, 2 * STEP)]
    known = np.ones((SIDE, SIDE, 1), np.float32)
    known[:, -STEP:] = 0
    return frames, [Motion(np.full((SIDE, SIDE, 2), (STEP, 0), np.float32), known)] * 2


def test_what_a_frame_takes_over(moving):
    """A painter that counts, and keeps what it is given."""
    frames, motions = moving
    for carry in ("warped", "last", "none"):
        given = []

        def paint(frame, carried, given=given):
            given.append(carried)
            return np.uint8(frame // 2)

        results = list(painted(paint, frames, motions, carry))
        assert len(results) == 3
        assert given[0] is None
        if carry == "none":
            assert given == [None] * 3
        elif carry == "last":
            np.testing.assert_array_equal(given[2].image, results[1])
        else:  # the last result, where things are now
            np.testing.assert_allclose(given[2].image[:, :-STEP], results[2][:, :-STEP], atol=1e-3)
            np.testing.assert_array_equal(given[2].known, motions[1].known)


def test_the_last_frame_is_blended_in_where_it_is_known(moving):
    class Half:
        def painted(self, frame):
            return frame / 2

    frames, motions = moving
    carried = Carried(np.full((SIDE, SIDE, 3), 200, np.float32), motions[0].known)
    y = np.float32(blending(Half(), 0.25)(frames[0], carried))
    alone = np.float32(frames[0]) / 2
    np.testing.assert_allclose(y[:, -STEP:], alone[:, -STEP:], atol=0.5)
    np.testing.assert_allclose(y[:, :-STEP], (0.75 * alone + 0.25 * 200)[:, :-STEP], atol=0.51)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("style") / "style.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)).save(path)
    c = gatys_config_of(SIDE, SIDE, [str(path)])
    c.style.layers, c.content.layers, c.coarse, c.steps = ("conv1", "fire2"), ("fire2",), (), 12
    return c


@pytest.mark.heavy
def test_a_descent_that_takes_over_flickers_less_than_frames_alone(moving, config):
    frames, motions = moving
    descent = Descent(config, (SIDE, SIDE, 3), temporal=100.0, later_steps=6)
    films = {carry: list(painted(descent.paint, frames, motions, carry)) for carry in ("none", "warped")}
    np.testing.assert_array_equal(films["none"][0], films["warped"][0])
    errors = {carry: flicker(film, motions)[1] for carry, film in films.items()}
    assert errors["warped"] < 0.7 * errors["none"]
    assert np.abs(np.float32(films["warped"][2]) - frames[2]).mean() > 5
    again = list(painted(descent.paint, frames, motions, "warped"))
    np.testing.assert_array_equal(again, films["warped"])


def test_steps_and_weights_that_do_not_fit_are_refused(config):
    for temporal, steps in ((-1.0, 3), (1.0, 13), (1.0, 0)):
        with pytest.raises(InputError, match="expected 1 to 12 steps"):
            Descent(config, (SIDE, SIDE, 3), temporal, steps)


@pytest.mark.heavy
def test_a_film_is_painted_as_typed(moving, tmp_path):
    film.save(tmp_path / "x.webp", [Image.fromarray(x) for x in moving[0]], 0.6)
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)).save(tmp_path / "style.png")
    arguments = ["--film", f"--content={tmp_path}/x.webp", f"--style={tmp_path}/style.png", "--size=32"]
    painted = ["--method=adain", "--carry=none"]
    done = run("genjax.stylize", *arguments, *painted, f"--out={tmp_path}/y.webp")
    assert done.code == 0, done.err
    assert "3 frames of 32x32 pixels" in done.err
    assert "frame difference" in done.out
    with Image.open(tmp_path / "y.webp") as image:
        assert image.n_frames == 3
    assert read_film(tmp_path / "y.webp").fps == pytest.approx(5)
    _write_film(tmp_path / "frames", list(moving[0]), 5)
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == [f"0000{i}.png" for i in (1, 2, 3)]
    np.testing.assert_array_equal(read_film(tmp_path / "frames").frames, moving[0])
    for flags, message in {
        "--out=x.png": "of a film, expected a name that ends in .gif, .webp, .mp4",
        "--gif=x.gif": "--gif is for images, and this is --film",
        "--nofilm --fps=5": "--fps is for films: add --film",
        "--nofilm": "of a film: add --film",
        "--method=adain --temporal_weight=3": "--temporal_weight is for --method=gatys",
        "--method=adain --carry=last": "--carry=last is for --method=gatys",
        "--carry=none --content=nothing.mp4": "nothing.mp4 does not exist",
    }.items():
        run("genjax.stylize", *arguments, f"--out={tmp_path}/z.gif", *flags.split()).assert_refused(message)


def test_without_opencv_a_film_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"flow of a film's frames needs opencv-python-headless: pip .*models\[flow\]"):
        need_opencv()
