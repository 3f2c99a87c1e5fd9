"""How little a command does before it begins: what its --help imports, and how many programs a run compiles."""

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
