"""Completion of the command line: the words that fit, and what bash, zsh and fish make of them."""

import os
import shutil
import subprocess
import sys

import pytest
from helpers import ROOT, run

from genjax import config_files
from genjax.cli import completion
from genjax.cli.main import COMMANDS

pytestmark = pytest.mark.heavy  # each is a process or more


def words(line: str) -> list[str]:
    """The words that a process of its own answers, since absl's flags can be defined once per process."""
    return run("genjax.cli", completion.COMMAND, line).out.split()


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """A cache folder of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def test_commands_and_configs_by_position():
    assert completion.answer("genjax tra", COMMANDS) == ["train", "translate"]
    assert set(completion.answer("genjax ", COMMANDS)) == {*COMMANDS, "help"}
    assert words("genjax train styleg") == ["stylegan", "stylegan2", "stylegan2_ada"]
    assert words("genjax configs d") == [name for name in config_files.names() if name.startswith("d")]
    assert words("genjax completion ") == list(completion.SCRIPTS)
    assert words("genjax sample runs") == []  # which takes no word that is no flag
    assert completion.answer("genjax nothing --", COMMANDS) == []


def test_flags_and_their_values():
    assert words("genjax train --r") == ["--resume="]
    assert words("genjax train --resume=") == ["--resume=auto", "--resume=force"]
    assert {"--ema", "--noema", "--seeds=", "--help"} <= set(words("genjax sample --"))
    assert words("genjax train --config=stylegan:w") == ["--config=stylegan:wgan_gp"]
    assert words("genjax train --config=vae") == ["--config=vae", "--config=vae_conv"]


def test_keys_of_the_config_that_the_line_names():
    nets = {f"--config.optimizer.{net}." for net in ("critic", "generator")}
    assert set(words("genjax train --config=dcgan --config.optimizer.")) == nets
    assert "--config.codebook.restart=" in words("genjax train vqvae --config.codebook.")
    assert words("genjax train dcgan --config.steps=") == ["--config.steps=10000"]
    assert words("genjax train dcgan --config.data.mirror=") == [f"--config.data.mirror={x}" for x in ("true", "false")]
    assert "--config.data.name=folder:" in words("genjax train dcgan --config.data.name=f")
    assert words("genjax train --config=no_such --config.st") == []


def test_keys_are_kept_until_the_file_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "mine.py"
    path.write_text("from ml_collections import ConfigDict\ndef get_config(name):\n    return ConfigDict({'one': 1})\n")
    assert completion._keys([f"--config={path}"]) == [("one", 1)]
    monkeypatch.setattr(config_files, "load", lambda text: pytest.fail("loaded again"))
    assert completion._keys([f"--config={path}"]) == [("one", 1)]
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path.write_text(path.read_text().replace("'one'", "'other'"))
    os.utime(path, ns=(1, 1))
    assert completion._keys([f"--config={path}"]) == [("other", 1)]


def test_keys_of_a_run_are_those_of_its_record(tmp_path):
    (tmp_path / "config.json").write_text('{"config": {"steps": 7, "data": {"name": "x"}}}')
    assert completion._keys([f"--workdir={tmp_path}"]) == [("steps", 7), ("data.name", "x")]


def test_paths_go_on_with_a_slash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / ".hidden").touch()
    assert list(completion._paths("ru")) == ["runs/"]
    assert list(completion._paths("runs/")) == ["runs/a/"]
    assert "runs/.hidden" in completion._paths("runs/.")
    assert list(completion._paths("nothing/")) == []


@pytest.mark.parametrize(
    ("line", "last"),
    [("genjax train", "train"), ("genjax ", ""), ("", ""), ("genjax train --config='a b", "--config=a b")],
)
def test_the_last_word_of_a_line_is_the_one_to_complete(line, last):
    assert completion._words(line)[-1] == last


# -- shells


@pytest.fixture
def environment(tmp_path):
    """Variables with which a shell finds `genjax`, which is this checkout."""
    script = tmp_path / "genjax"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m genjax.cli "$@"\n')
    script.chmod(0o755)
    return os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


BASH = r"""
eval "$(genjax completion bash)"
complete_line() {  # as readline does: words are divided at its breaks, and the function is called
    COMP_LINE="$1" COMP_POINT=${#1} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
    COMP_WORDS=(genjax) COMP_CWORD=1 COMPREPLY=()
    _genjax 2>/dev/null
    echo "${COMPREPLY[*]}"
}
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_bash_completes_what_follows_its_word_breaks(environment):
    lines = {
        "genjax tra": "train translate",
        "genjax train --config=dcgan_": "dcgan_emoji dcgan_paper",
        "genjax train --config=stylegan:w": "wgan_gp",
        "genjax train dcgan --config.st": "--config.steps=",
        "genjax train --resume=": "auto force",
    }
    script = BASH + "\n".join(f"complete_line '{line}'" for line in lines)
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == list(lines.values())


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_an_interactive_bash_completes_at_a_tab(environment, tmp_path):
    """The real thing, on a terminal: the word after a tab is what the command gets."""
    import pty

    (tmp_path / "rc").write_text('PS1=\neval "$(genjax completion bash)"\necho ready\n')
    parent, child = pty.openpty()
    argv = ["bash", "--rcfile", str(tmp_path / "rc"), "-i"]
    shell = subprocess.Popen(argv, env=environment, stdin=child, stdout=child, stderr=child, start_new_session=True)
    os.close(child)
    try:
        text = read_until(parent, b"ready")
        os.write(parent, b"genjax configs --name=dcgan_p\t\n")
        text = read_until(parent, b"file ")
    finally:
        shell.kill()
        shell.wait()
        os.close(parent)
    assert b"The DCGAN of its paper" in text


def read_until(file: int, end: bytes, seconds: float = 60) -> bytes:
    """What a terminal shows up to some text."""
    import select
    import time

    text, start = b"", time.monotonic()
    while end not in text:
        assert time.monotonic() - start < seconds, text
        if select.select([file], [], [], 1)[0]:
            text += os.read(file, 65536)
    return text


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh")
def test_zsh_completes_by_the_script(environment):
    script = """
        autoload -U compinit; compinit -D -u; eval "$(genjax completion zsh)"
        compadd() { while [[ $1 != -- ]]; do shift; done; shift; echo $* }
        LBUFFER='genjax train --resume=a'; words=(genjax train --resume=a); _genjax
        LBUFFER='genjax train dcgan --config.st'; words=(genjax train dcgan --config.st); _genjax
    """
    done = subprocess.run(["zsh", "-f", "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["--resume=auto", "--config.steps="], done.stderr


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish")
def test_fish_completes_by_the_script(environment, tmp_path):
    environment |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    script = "genjax completion fish | source; complete -C 'genjax train --config=vae'; complete -C 'genjax tra'"
    done = subprocess.run(["fish", "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["--config=vae", "--config=vae_conv", "train", "translate"], done.stderr
