"""The console script `genjax COMMAND ...`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import HEAVY, ROOT, config_of, run

from genjax.cli import main
from genjax.run.training import train
from genjax.train import with_flags

pytestmark = pytest.mark.usefixtures("no_report")


def test_help_lists_every_command_with_its_claim():
    done = run("genjax.cli", "--help")
    assert done.code == 0
    for command in main.COMMANDS:
        assert f"  {command} " in done.out
        assert main.claim(command)
        assert len(main.claim(command)) < 80


def test_alone_it_says_what_to_try_next_and_imports_nothing_that_takes_long(tmp_path):
    program = "import sys; from genjax.cli.main import main; main(); print(*sys.modules, file=sys.stderr)"
    for suggested in ("genjax train demo ", f"genjax show --workdir={Path('runs', 'b')} "):
        done = subprocess.run(
            [sys.executable, "-c", program],
            **{"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(ROOT)}, "capture_output": True, "text": True},
        )
        assert suggested in done.stdout
        assert not HEAVY & {name.partition(".")[0] for name in done.stderr.split()}
        for i, name in enumerate("ab"):
            (tmp_path / "runs" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "runs" / name / "config.json").touch()
            os.utime(tmp_path / "runs" / name, (i, i))


def test_the_commands_that_it_suggests_are_commands():
    for command in re.findall(r"genjax (\w+)", main.welcome().partition("\n")[2]):
        assert command in main.COMMANDS


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["demo"], ["--config=demo", "--workdir=runs/demo"]),
        (["demo:smoke", "--config.steps=3"], ["--config=demo:smoke", "--config.steps=3", "--workdir=runs/demo_smoke"]),
        (["mine/own.py", "--workdir=runs/x"], ["--config=mine/own.py", "--workdir=runs/x"]),
        (["demo", "--dry_run"], ["--config=demo", "--dry_run"]),
        (["--config=demo", "runs/x"], ["--config=demo", "runs/x"]),  # which is refused
        ([], []),
    ],
)
def test_the_first_word_of_a_training_is_its_config(words, flags):
    assert with_flags(["", *words]) == ["", *flags]


def test_a_config_by_name_is_trained_in_its_folder_and_a_run_by_its_folder_resumes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "x").mkdir(parents=True)
    (tmp_path / "runs" / "x" / "config.json").touch()
    assert with_flags(["", "runs/x"]) == ["", "--workdir=runs/x"]
    out = run("genjax.cli", "train", "gan:smoke", "--dry_run", "--config.steps=7").out
    assert "steps = 7" in out
    assert "net = 'mlp'" in out


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
    own |= {"configs": "--name: ", "completion": "--shell: "}
    assert own.get(command, "--workdir: ") in done.out


def test_a_command_does_what_its_module_does(tmp_path):
    assert train(config_of("gan"), tmp_path / "run") == 0
    for name, arguments in {"script.npy": ("genjax.cli", "sample"), "module.npy": ("genjax.sample",)}.items():
        done = run(*arguments, f"--workdir={tmp_path / 'run'}", "--seeds=0-3", f"--out={tmp_path / name}")
        assert done.code == 0, done.err
    assert (tmp_path / "script.npy").read_bytes() == (tmp_path / "module.npy").read_bytes()
