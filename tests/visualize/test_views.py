"""The views of a run: restored examples, ways between latents, reasons where there is nothing to show."""

import os
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import ROOT, config_of, fashion, run

from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.run.loaded import Examples, Run, open_run, restored
from genjax.run.restore import restore
from genjax.visualize import views
from genjax.visualize.registry import VIEWS, parse

MODULE = '''
from genjax.report import figures
from genjax.visualize.view import view


@view("mean")
def draw_mean(run):
    """The mean example."""
    yield "mean.png", figures.grid(run.examples.mean(0, keepdims=True).astype("uint8"))


def plain(run):
    yield from ()
'''


def run_in(folder, *flags):
    """genjax.show in a folder whose modules it may import."""
    command = [sys.executable, "-m", "genjax.show", *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)


def identity(**outputs) -> tuple[Task, State]:
    """An autoencoder whose latents are the pixels: it keeps everything."""

    def encode(state, x):
        x = x.reshape(len(x), -1)
        return x / 255 if x.dtype == jnp.uint8 else x

    plain = {
        "encode": encode,
        "decode": lambda state, z, ema=True: 255 * z.reshape(-1, 28, 28, 1),
        "reconstruct": lambda state, x: 255 * encode(state, x).reshape(-1, 28, 28, 1),
    }
    return Task(lambda key: None, (), plain | outputs), State(jnp.int32(0), {}, {}, {})


def run_of(task, state, count=20, **config):
    about = {"config": config_of("ae_stacked").to_dict() | config, "data": {"shape": [28, 28, 1]}}
    return Run(task, state, fashion("test"), count, about)


def test_an_autoencoder_that_keeps_everything_restores_every_pixel(clothes):
    x, _ = clothes
    original, output = restored(*identity(), x)
    np.testing.assert_array_equal(original, x)
    np.testing.assert_array_equal(output, x)
    darker = {"corrupt": lambda state, x: x / (3 * 255)}
    original, seen, output = restored(*identity(**darker), x)
    np.testing.assert_array_equal(seen, np.rint(x / 3))
    np.testing.assert_array_equal(output, seen)  # what is restored is the corrupted image
    assert len(restored(*identity(**darker), x, corrupt=False)) == 2


@pytest.mark.heavy
def test_each_image_of_a_run_has_its_own_corruption(denoiser, clothes):
    x = np.repeat(clothes[0][:1], 40, 0)
    task, state = restore(denoiser)
    _, seen, _ = restored(task, state, x)
    assert len(np.unique(seen.reshape(40, -1), axis=0)) == 40


@pytest.mark.heavy
def test_interpolations_between_kept_images_are_their_mixtures():
    found = dict(views.draw_interpolation(run_of(*identity())))
    assert list(found) == [f"interpolation_{way}.{kind}" for way in ("linear", "spherical") for kind in ("png", "gif")]
    assert len(found["interpolation_linear.gif"].frames) == views.STATIONS * views.FRAMES
    decode, stations, originals = views._stations(run_of(*identity()), 4)
    np.testing.assert_array_equal(decode(stations), originals)
    one, other = originals[:2].astype(float)
    between = views.lerp(*stations[:2], 1 / 3)
    np.testing.assert_array_equal(decode(between[None])[0], np.rint((2 * one + other) / 3))


def test_neighbors_of_an_interpolation_differ_in_class():
    many = run_of(*identity(), count=200)
    labels = many.labels[views._various(many, 12)]
    assert labels.tolist() == [*range(10), 0, 1]


@pytest.mark.heavy
def test_latents_of_two_dimensions_have_a_plane_and_others_a_reason():
    task, state = identity()
    flat = identity(
        encode=lambda state, x: x.reshape(len(x), -1)[:, 300:302] / 255.0,
        decode=lambda state, z, ema=True: jnp.broadcast_to(100.0 * z[:, :1, None, None], (len(z), 28, 28, 1)),
    )
    assert set(dict(views.draw_manifold(run_of(*flat)))) == {"manifold.png"}
    assert set(dict(views.draw_latents(run_of(*flat)))) == {"latents.png"}
    assert set(dict(views.draw_latents(run_of(task, state)))) == {"latents_pca.png"}
    with pytest.raises(views.NotApplicable, match="784 dimensions, not 2"):
        dict(views.draw_manifold(run_of(task, state)))


def test_latents_that_are_names_have_nothing_between_them():
    names = identity(encode=lambda state, x: x.reshape(len(x), -1).astype(jnp.int32))
    for view in (views.draw_latents, views.draw_interpolation, views.draw_grid, views.draw_activity):
        with pytest.raises(views.NotApplicable, match="whole numbers"):
            dict(view(run_of(*names)))


def test_the_runs_own_data_by_name_are_what_it_was_not_trained_on(denoiser):
    for opened in (open_run(denoiser), open_run(denoiser, Examples("fashion_mnist_10k"))):
        assert (opened.source.split, opened.count) == ("test", 2000)
    assert open_run(denoiser, Examples(split="train[:9]")).count == 9


def test_latents_are_the_same_in_any_portions(denoiser, monkeypatch):
    expected = open_run(denoiser, Examples(count=40)).latents
    monkeypatch.setattr("genjax.run.loaded.CHUNK", 7)
    np.testing.assert_array_equal(open_run(denoiser, Examples(count=40)).latents, expected)


def test_the_first_kernel_is_the_encoders(denoiser):
    opened = open_run(denoiser)
    kernel = opened.state.nets["autoencoder"].params["encoder_0"]["kernel"]
    np.testing.assert_array_equal(views.first_kernel(opened), kernel)


@pytest.mark.parametrize("penalty", ["kl", "l1"])
def test_only_a_penalty_with_a_target_has_a_line(penalty, monkeypatch):
    targets = []
    monkeypatch.setattr(views.activity, "draw", lambda z, target: targets.append(target))
    dict(views.draw_activity(run_of(*identity(), penalty={"name": penalty, "weight": 1.0, "target": 0.3})))
    assert targets == [0.3 if penalty == "kl" else None]


def test_names_are_parsed():
    assert list(parse("latents, grid")) == ["latents", "grid"]
    assert parse("all") == VIEWS
    for text, words in (
        ("grd", "did you mean 'grid'"),
        (",", "is empty"),
        ("grd", "choose from 'all', 'reconstructions'"),
    ):
        with pytest.raises(InputError, match=words):
            parse(text)


def test_help_lists_all_views():
    done = run("genjax.show", "--help")
    for name in VIEWS:
        assert f"{name}: " in done.out


@pytest.mark.heavy
def test_a_view_of_another_module_is_shown_like_ours(denoiser, tmp_path):
    (tmp_path / "my_views.py").write_text(MODULE)
    what = "--what=filters,my_views:draw_mean"
    command = [f"--workdir={denoiser}", what, f"--out={tmp_path / 'out'}", "--count=5"]
    done = run_in(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["filters.png", "mean.png"]
    command[1] = "--what=my_views:plain"
    refused = run_in(tmp_path, *command)
    assert refused.returncode == 2
    assert "it is function, not a view: decorate" in refused.stderr


def test_tsne_that_is_asked_for_and_not_there_is_named(denoiser, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(views.NotApplicable, match="pip install scikit-learn"):
        dict(views.draw_tsne(open_run(denoiser)))
