"""How little a command does before it begins: what its --help imports, and how many programs a run compiles."""

import os
import subprocess
import sys

import pytest
from helpers import HEAVY, run, without_report

from genjax.cli.main import COMMANDS

HELP = """
import runpy, sys
sys.argv = ["", "--help"]
try:
    runpy.run_module("genjax.{}", run_name="__main__", alter_sys=True)
finally:
    print(*sorted(name.partition(".")[0] for name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_nothing_that_takes_long(command):
    done = subprocess.run([sys.executable, "-c", HELP.format(command)], capture_output=True, text=True)
    assert f"genjax.{command} --" in done.stdout
    imported = set(done.stderr.split())
    assert "absl" in imported
    assert not imported & HEAVY


def test_a_run_compiles_five_programs(tmp_path):
    """One that tries the compiler's options, a stream's key, the initial state, samples, and the calls of the phase."""
    done = run("genjax.train", "--config=gan:smoke", f"--workdir={tmp_path / 'run'}", before=without_report)
    assert done.code == 0, done.err
    assert done.compiled == 5


REPORT = """
import atexit, runpy, sys
atexit.register(lambda: print(*{"jax", "matplotlib"} & set(sys.modules), file=sys.stderr))
sys.argv = ["", "--config=gan:smoke", "--workdir=" + sys.argv[1]]
runpy.run_module("genjax.train", run_name="__main__", alter_sys=True)
"""


def test_a_command_does_not_wait_for_what_draws_its_report(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as in a notebook
    if (os.cpu_count() or 1) < 2:
        pytest.skip("with one core there is nobody else")
    done = subprocess.run([sys.executable, "-c", REPORT, tmp_path / "run"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.split()[-1] == "jax"
    assert all((tmp_path / "run" / name).stat().st_size for name in ("report.html", "curves.png", "samples.gif"))
