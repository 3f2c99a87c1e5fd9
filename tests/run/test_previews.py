"""Images while training: points of any dimension are drawn, and a drawing that fails never stops training."""

import jax.numpy as jnp
import pytest
from helpers import config_of
from PIL import Image

from genjax.data import open_source
from genjax.engine.phase import Phase, Task
from genjax.report import gallery
from genjax.run.monitor import DIVERSITY
from genjax.run.previews import Previewer, samples
from genjax.run.training import train


def points_config(**overrides):
    return config_of(
        "gan",
        data__name="arc3d",
        generator__net="mlp",
        generator__output="linear",
        generator__widths=(4,),
        critic__net="mlp",
        critic__widths=(4,),
        **overrides,
    )


@pytest.mark.heavy
def test_a_generator_of_points_in_space_trains_and_its_samples_are_drawn(tmp_path):
    assert train(points_config(), tmp_path) == 0
    *_, last = sorted((tmp_path / "samples").glob("step_*.png"))
    with Image.open(last) as image:
        assert image.width > 2 * image.height  # three pairs of coordinates side by side


@pytest.mark.heavy
def test_a_drawing_that_fails_is_reported_once_and_training_goes_on(tmp_path, monkeypatch, capsys):
    def fail(*_, **__):
        raise ZeroDivisionError("no room for axes")

    monkeypatch.setattr(gallery, "draw", fail)
    assert train(points_config(), tmp_path) == 0
    assert capsys.readouterr().err.count("no images in samples/, they cannot be drawn (no room for axes)") == 1
    assert (tmp_path / "report.html").exists()


def test_nothing_is_expected_of_samples_before_their_net_is_trained():
    phases = Phase("embed", 3, 1, None, samples=False), Phase("train", 2, 1, None)
    task = Task(None, phases, {"sample": lambda state, seeds, **_: jnp.zeros((len(seeds), 3))})
    previewer = Previewer(points_config(), open_source("arc3d"), task)
    found = {step: samples(previewer, None, step).metrics for step in range(task.steps + 1)}
    assert [step for step, metrics in found.items() if metrics] == [4, 5]
    assert found[4] == {DIVERSITY: 0}
