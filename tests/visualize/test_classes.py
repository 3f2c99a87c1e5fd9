"""Views of a net that is given classes: what its latents end in is no finding of the encoder."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of
from scipy.stats import norm

from genjax import data, tasks
from genjax.engine.phase import Task
from genjax.engine.state import Net, State
from genjax.run.loaded import Run
from genjax.visualize import views

CLASSES = 3


def run_of(task, state):
    config = config_of("vae", data__split="test")
    return Run(task, state, data.load(config.data), 20, {"config": config.to_dict(), "data": {"shape": [28, 28, 1]}})


def encode(state, x):
    """A place on the unit circle, and a class, both of the brightness."""
    brightness = x.mean((1, 2, 3))
    place = jnp.stack([jnp.cos(brightness), jnp.sin(brightness)], 1)
    return jnp.concatenate([place, jax.nn.one_hot(jnp.int32(brightness) % CLASSES, CLASSES)], 1)


@pytest.fixture
def run(monkeypatch):
    """A run of two numbers and a class, whose images are black; `run.decoded` is what they were made of."""
    outputs = {"encode": encode, "decode": lambda state, z, ema=True: z}
    run = run_of(Task(lambda key: None, (), outputs, CLASSES), State(jnp.int32(0), {}, {}, {}))
    run.decoded = []
    black = lambda z: run.decoded.append(np.asarray(z)) or np.zeros((len(z), 28, 28, 1), np.uint8)  # noqa: E731
    monkeypatch.setattr(run, "decode", black)
    return run


@pytest.mark.heavy
@pytest.mark.parametrize("view", [views.draw_interpolation, views.draw_grid])
def test_shares_of_classes_have_the_sum_one_on_every_way(run, view):
    dict(view(run))
    for z in run.decoded:
        np.testing.assert_allclose(z[:, 2:].sum(1), 1, atol=1e-6)
    assert any(np.linalg.norm(z[:, :2], axis=1).min() < 0.99 for z in run.decoded)  # chords


def test_the_spherical_way_is_of_what_was_found(run):
    for name, _ in views.draw_interpolation(run):
        if "spherical" in name:
            np.testing.assert_allclose(np.linalg.norm(run.decoded[-1][:, :2], axis=1), 1, atol=1e-5)


def test_each_class_has_its_plane(run):
    assert list(dict(views.draw_manifold(run))) == [f"manifold_class_{label}.png" for label in range(CLASSES)]
    found = run.latents[:, :2]
    corner = found.mean(0) + found.std(0) * norm.ppf([0.05, 0.95])  # top left
    for label, z in enumerate(run.decoded):
        np.testing.assert_allclose(z[0], [*corner, *(np.arange(CLASSES) == label)], rtol=1e-5)
        assert (z[:, 2 + label] == 1).all()


def test_latents_are_drawn_without_the_class(run, monkeypatch):
    drawn = []
    monkeypatch.setattr(views.activity, "draw", lambda z, target: drawn.append(z))
    dict(views.draw_activity(run))
    monkeypatch.setattr(views.latents, "draw", lambda z, *_: drawn.append(z))
    assert list(dict(views.draw_latents(run))) == ["latents.png"]
    monkeypatch.setattr(views.latents, "need_tsne", lambda: None)
    monkeypatch.setattr(views.latents, "tsne", lambda z: z)
    dict(views.draw_tsne(run))
    assert len(drawn) == 3
    for z in drawn:
        np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-5)


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "shape"), [("vae", (784, 8)), ("vae_conv", (3, 3, 1, 4))])
def test_filters_are_of_pixels(name, shape):
    task = tasks.build(config_of(name, classes=CLASSES), (28, 28, 1))
    state = jax.jit(task.init)(jax.random.key(0))
    kernel = state.nets["vae"].params["encoder_0"]["kernel"]
    assert kernel.size > np.prod(shape)
    pixels = kernel[:784] if name == "vae" else kernel[:, :, :1]
    np.testing.assert_array_equal(views.first_kernel(run_of(task, state)), pixels)
    assert pixels.shape == shape
    assert list(dict(views.draw_filters(run_of(task, state)))) == ["filters.png"]


def test_filters_are_those_of_a_critic_that_takes_images_alone():
    """Its class is no further channel: it meets the features, or is what the critic says."""
    kernel = np.arange(36.0).reshape(3, 3, 1, 4)
    params = {"Conv_0": {"kernel": kernel}, "class_logits": {"kernel": np.zeros((4, CLASSES))}}
    state = State(jnp.int32(0), {"critic": Net(params, {}, ())}, {}, {})
    np.testing.assert_array_equal(views.first_kernel(run_of(Task(lambda key: None, (), {}, CLASSES), state)), kernel)
