"""Commands on poor machines, each in a process of its own: no home, no Git, ASCII, odd names; and as on Windows."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from PIL import Image

from genjax.run.restore import load_info

ODD = os.fsdecode(b"\xff,'%d [6]\n:")
"""A name that is not UTF-8, that is a list, a pattern and a format, and that has a line break."""

POOR = {
    **{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
    **{"COLUMNS": "40", "TERM": "dumb", "NO_COLOR": "1", "PATH": "", "JAX_PLATFORMS": "cpu"},
}
KEPT = ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "JAX_DISABLE_MOST_OPTIMIZATIONS")

HOMELESS = """
import runpy, sys
sys.modules["pwd"] = None
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""python -m for a user whom the system does not know."""


def run(program: list, environment: dict) -> subprocess.CompletedProcess:
    kept = {name: os.environ[name] for name in (*KEPT, "XLA_FLAGS") if name in os.environ}
    command = [sys.executable, *map(str, program)]
    return subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, encoding="ascii", check=False)


def genjax(command: str, *arguments: object) -> subprocess.CompletedProcess:
    return run(["-c", HOMELESS, f"genjax.{command}", *arguments], POOR)


@pytest.fixture(scope="module")
def odd_run(tmp_path_factory) -> Path:
    """A run in an odd folder, on images of odd names in odd classes."""
    folder = tmp_path_factory.mktemp("odd")
    for name in (ODD, "plain"):
        (folder / ODD / name).mkdir(parents=True)
        for i, x in enumerate(np.random.default_rng(0).integers(0, 256, (8, 28, 28), np.uint8)):
            Image.fromarray(x).save(folder / ODD / name / f"{i}{ODD}.png")
    path = folder / f"run {ODD}"
    data = f"--config.data.name=folder:{folder / ODD}"
    evaluation = ("--config.eval.every=4", "--config.eval.samples=4", "--config.eval.metrics=frechet")
    config = ("--config=configs/cgan.py:smoke", "--config.classes=2", "--config.eval.features=squeezenet:64")
    done = genjax("train", *config, data, *evaluation, f"--workdir={path}")
    assert done.returncode == 0, done.stderr
    known = ("warning: nothing is kept in ~/.cache/genjax", "warning: step 4: frechet", "phase ", "step ")
    others = [line for line in done.stderr.splitlines() if not line.startswith(known)]
    assert not [line for line in others if "images/s" not in line and "SqueezeNet" not in line], done.stderr
    return path


@pytest.mark.heavy
def test_a_run_on_a_poor_machine_is_recorded_as_it_is(odd_run):
    info = load_info(odd_run)
    assert set(info["data"]["labels"]) == {ODD, "plain"}
    assert info["data"]["name"] == f"folder:{odd_run.parent / ODD}"
    assert info["git"] is None
    assert "\\udcff" in (odd_run / "report.html").read_text("utf-8")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [
        ("sample", ["--seeds=0-3", "--out={}.png"], "4 samples: "),
        ("evaluate", ["--samples=4", "--features=squeezenet:64", "--metrics=frechet"], "lower"),
        ("evaluate", ['--compare="{}"'], "Fr\\xe9chet distance"),
    ],
)
def test_commands_on_a_poor_machine_print_ascii(odd_run, command, arguments, expected):
    arguments = [argument.format(odd_run) for argument in arguments]
    done = genjax(command, *([] if "compare" in str(arguments) else [f"--workdir={odd_run}"]), *arguments)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout + done.stderr


@pytest.mark.heavy
def test_where_a_module_or_function_is_posixs_alone_nothing_needs_it(tmp_path):
    arguments = ("train", "--config=configs/gan.py:smoke", f"--workdir={tmp_path / 'run'}")
    done = run(["tests/windows.py", *arguments], os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").exists()
