"""The run that tests kill and spoil, and its undisturbed ending."""

import pytest
from helpers import STEPS, config_of

from genjax.run.recorder import Recorder
from genjax.run.training import train


@pytest.fixture(scope="module")
def flags(images):
    """A run that saves after every step."""
    short = {"steps": STEPS, "log_every": 3, "sample_every": 3, "save_every": 1, "ema.half_life": 100.0}
    short |= {"data.name": f"folder:{images}"}
    return ["--config=configs/gan.py:smoke", *(f"--config.{key}={value}" for key, value in short.items())]


@pytest.fixture(scope="module")
def config(images):
    """The same run for `genjax.train.train`."""

    def make(**overrides):
        given = {"steps": STEPS, "log_every": 3, "sample_every": 3, "save_every": 1, "ema__half_life": 100.0}
        return config_of("gan", **given | {"data__name": f"folder:{images}"} | overrides)

    return make


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory, traced_once):
    """A folder with the undisturbed run."""
    path = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "report", lambda self: None)
        assert train(config(), path) == 0
    return path


@pytest.fixture(autouse=True)
def _without_report(monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)  # drawing takes longer than such a run
