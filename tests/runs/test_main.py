"""The console script `genjax COMMAND ...`."""

import pytest
from helpers import config_of, run

from genjax.cli import main
from genjax.run.training import train

pytestmark = pytest.mark.usefixtures("no_report")


def test_help_lists_every_command_with_its_claim():
    done = run("genjax.cli", "--help")
    assert done.code == 0
    for command in main.COMMANDS:
        assert f"  {command} " in done.out
        assert main.claim(command)
        assert len(main.claim(command)) < 80


def test_an_unknown_command_is_refused_with_the_nearest_one():
    run("genjax.cli", "trian").assert_refused("no command 'trian'", "did you mean 'train'", "sample")


@pytest.mark.parametrize("command", main.COMMANDS)
def test_help_of_a_command_lists_its_own_and_its_shared_flags(command):
    done = run("genjax.cli", command, "--help")
    assert f"python -m genjax.{command} --" in done.out
    own = {
        "census": "--split: ",
        "compare": "--embed: ",
        "convert": "--license: ",
        "pack": "--size: ",
        "rate": "--score: ",
    }
    assert own.get(command, "--workdir: ") in done.out


def test_a_command_does_what_its_module_does(tmp_path):
    assert train(config_of("gan"), tmp_path / "run") == 0
    for name, arguments in {"script.npy": ("genjax.cli", "sample"), "module.npy": ("genjax.sample",)}.items():
        done = run(*arguments, f"--workdir={tmp_path / 'run'}", "--seeds=0-3", f"--out={tmp_path / name}")
        assert done.code == 0, done.err
    assert (tmp_path / "script.npy").read_bytes() == (tmp_path / "module.npy").read_bytes()
