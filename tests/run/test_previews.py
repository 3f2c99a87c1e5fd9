"""Images while training: points of any dimension are drawn, and a drawing that fails never stops training."""

import pytest
from helpers import config_of
from PIL import Image

from genjax.report import gallery
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
