"""Runs of nets with styles, and of one that grows, whose images are of a class that is asked for."""

import shutil
from unittest import mock

import jax
import numpy as np
import pytest
from helpers import assert_keeps_state, assert_same, call, config_of, eight_devices, ending, step_inputs

from experiments.scaling.drift import distances
from experiments.scaling.drift import train as trained_on
from genjax import data, projection, tasks
from genjax.engine.loop import shapes
from genjax.errors import InputError
from genjax.run.loaded import open_run
from genjax.run.recorder import Recorder
from genjax.run.training import train
from genjax.visualize import styles

pytestmark = pytest.mark.heavy

NAMES = ("progan", "stylegan", "stylegan2")
SIZE = {"data__split": "train[:64]", "data__size": "8", "data__resize": "squash"}
LENGTH = {"steps": 2, "batch": 8, "log_every": 1, "sample_every": 2, "save_every": 1, "samples": 20}


def tiny(name, **overrides):
    """`conditional` of a config at 8x8, two steps of each phase; StyleGAN2, which does not grow, at 4x4."""
    config = config_of(name, "conditional", **SIZE | LENGTH | overrides)
    config.generator.channels = config.critic.channels = (6, 4)
    if name == "progan":
        config.growth.update(start=4, fade=0.016, stable=0.016)
    else:
        config.generator.update(width=7, layers=2)
    if name == "stylegan2":
        config.data.size, config.generator.channels, config.critic.channels = "4", (6,), (6,)
    return config


@pytest.fixture(scope="module")
def whole(tmp_path_factory, traced_once):
    """The folder of a StyleGAN2's run; a run that resumes shares its programs, the longest here."""
    path = tmp_path_factory.mktemp("conditional") / "whole"
    with mock.patch.object(Recorder, "report", return_value=None):  # drawing takes longer than such a run
        assert train(tiny("stylegan2"), path) == 0
    return path


def test_a_run_that_was_cut_short_ends_at_the_same_bits(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "00000002")
    with mock.patch.object(Recorder, "report", return_value=None):
        assert train(tiny("stylegan2"), tmp_path / "run") == 0
    found = ending(tmp_path / "run")
    assert_same(found, ending(whole))
    for part in ("['embed']", "['mapping']", "'w_avg'", "'path_length'", "step_00000002.png"):
        assert any(part in name for name in found), part


def test_samples_of_a_label_are_those_of_its_seeds_and_truncation_is_towards_one_average(whole):
    run = open_run(whole, None)
    bags = run.sample([0, 3], label="Bag")
    np.testing.assert_array_equal(bags, run.sample([8, 38]))
    assert np.any(bags != run.sample([0, 3], label="Sandal"))
    assert np.ptp(run.sample(range(20), truncation=0.0), 0).max() == 0
    with pytest.raises(InputError, match=r"--label=Bags: no such class \(did you mean 'Bag'\?\)"):
        run.sample([0], label="Bags")


def test_latents_end_in_the_class_and_w_is_of_both(whole):
    run = open_run(whole, None)
    z = np.asarray(call(run.task.outputs["latents"], run.state, np.arange(12)))
    assert z.shape == (12, 64 + 10)
    np.testing.assert_array_equal(z[:, 64:], np.eye(10)[np.arange(12) % 10])
    other = np.concatenate([z[:, :64], np.roll(z[:, 64:], 1, 1)], 1)
    assert np.all(np.abs(call(run.task.outputs["map"], run.state, other) - styles.w_of(run, 12)).max(1) > 1e-3)
    np.testing.assert_array_equal(run.sample(range(12)), run.decode(z))


@pytest.mark.parametrize("space", ["w", "z"])
def test_images_are_projected(whole, space, monkeypatch):
    monkeypatch.setattr(projection, "perceptual_distance", lambda: lambda x, y: 0.0)
    run = open_run(whole, None)
    found = projection.project(run, run.sample([3]), space, 10)
    assert found.codes.shape == (1, {"w": 7, "z": 74}[space])
    assert np.isfinite(found.losses).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_step_in_parts_and_a_short_type_keeps_the_state_and_gives_scalars(name):
    config = tiny(name, dtype="bfloat16", grad_accum_steps=2)
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    state = shapes(task)
    for phase in task.phases:
        assert_keeps_state(jax.eval_shape(phase.prepared_step, *step_inputs(phase, source, state)), state)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["progan", "stylegan2"])
def test_two_devices_give_one_curve(name):
    """Not StyleGAN: its first maps begin as equal numbers, whose normalization makes a bias' slope rounding alone."""
    with eight_devices() as call:
        one, two = (call(trained_on, tiny(name), count, "float64") for count in (1, 2))
    for leaf, distance in distances(two, one).items():
        assert distance < (1e-6 if "w_avg" in leaf else 1e-9), leaf


@pytest.mark.slow
def test_every_phase_of_a_net_that_grows_classifies(tmp_path):
    assert train(tiny("progan"), tmp_path) == 0
    run = open_run(tmp_path, None)
    assert np.any(run.sample([0], label="Bag") != run.sample([0], label="Sandal"))
    moved = jax.tree.map(np.any, run.state.nets["critic"].params["class_logits"])
    assert moved["bias"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("message", "overrides"),
    [
        (r"classes=12, but fashion_mnist_10k has 10", {"classes": 12}),
        (r"classes=9, but the labels of fashion_mnist_10k go from 0 to 9", {"classes": 9}),
        (r"classes=10, but shapes_8 has no labels", {"data__name": "shapes_8"}),
    ],
)
def test_classes_that_the_data_do_not_have_are_refused(name, message, overrides, tmp_path):
    with pytest.raises(InputError, match=message):
        train(tiny(name, **overrides), tmp_path / "run")
    assert not (tmp_path / "run").exists()
