"""What config.json records of a run: versions without an installation, the command, the code of extensions."""

import shlex
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest
from helpers import config_of

from genjax import __version__
from genjax.errors import InputError
from genjax.run import description, origin
from genjax.run.counters import Counters
from genjax.run.recorder import Recorder
from genjax.run.restore import load_info, restore
from genjax.run.training import train


@pytest.fixture(autouse=True)
def _without_report(monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)


@pytest.mark.heavy
def test_a_checkout_that_is_not_installed_trains_with_its_own_version(tmp_path, monkeypatch):
    version = metadata.version

    def not_installed(name):
        if name == "genjax-models":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", not_installed)
    assert train(config_of("gan", steps=1), tmp_path) == 0
    assert load_info(tmp_path)["versions"]["genjax-models"] == __version__


def test_the_recorded_command_keeps_its_arguments_in_a_shell(monkeypatch):
    arguments = ['--config.style.images=("a b.jpg",)', "--workdir=runs/it's"]
    monkeypatch.setattr(sys, "argv", ["genjax/train.py", *arguments])
    assert shlex.split(description.command())[-2:] == arguments


LOSS = '''"""A loss of somebody else."""

from genjax.losses.adversarial import LOSSES

mine = LOSSES["hinge"]
'''


@pytest.fixture
def extension(tmp_path, monkeypatch):
    """A module with a loss, and the config that names it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "somebody_elses_losses.py"
    path.write_text(LOSS)
    yield path, config_of("gan", steps=1, loss__name="somebody_elses_losses:mine")
    sys.modules.pop("somebody_elses_losses", None)


@pytest.mark.heavy
def test_a_run_is_not_continued_with_other_code_of_an_extension_unless_forced(extension, tmp_path):
    path, config = extension
    assert train(config, tmp_path / "run") == 0
    (name,) = load_info(tmp_path / "run")["extensions"]
    assert name == "somebody_elses_losses:mine"
    assert train(config, tmp_path / "run") == 0  # the same code
    path.write_text(LOSS + "\n# another line\n")
    with pytest.raises(InputError, match=r"extensions\.somebody_elses_losses:mine: \w+ -> \w+"):
        train(config, tmp_path / "run")
    assert train(config, tmp_path / "run", force=True) == 0


@pytest.mark.heavy
def test_restoring_a_run_whose_extension_has_changed_warns_in_one_line(extension, tmp_path, capsys):
    path, config = extension
    assert train(config, tmp_path / "run") == 0
    capsys.readouterr()
    restore(tmp_path / "run")
    assert capsys.readouterr().err == ""
    path.write_text(LOSS + "\n# another line\n")
    restore(tmp_path / "run")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: the code of somebody_elses_losses:mine has changed")


def test_rows_are_means_over_the_steps_since_the_last_one():
    counters = Counters()
    counters.add({"loss": np.float32([1.0, 3.0])}, seconds=2.0)
    assert Counters.from_json(counters.to_json()) == counters
    row = counters.row(2, images_per_step=8)
    assert row == {"step": 2, "seconds": 2.0, "images_per_second": 8.0, "loss": 2.0}
    counters.add({"loss": np.float32([5.0])}, seconds=1.0)
    assert counters.row(3, images_per_step=8)["loss"] == 5.0


def test_the_commit_is_that_of_the_repository_which_has_the_code(tmp_path, monkeypatch):
    """Not of one that surrounds it, as when it is installed within another project."""

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", *identity, "-C", tmp_path, *arguments], check=True, capture_output=True)

    code = tmp_path / "venv" / "genjax.py"
    code.parent.mkdir()
    code.touch()
    git("init")
    git("commit", "--allow-empty", "-m", "other work")
    assert origin.git(code) is None
    git("add", ".")
    git("commit", "-m", "the code")
    assert origin.git(code).keys() == {"commit", "dirty"}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert origin.git(code) is None  # Git is not installed
