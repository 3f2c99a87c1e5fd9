"""The wheel, built and installed in a fresh environment, where nothing of this checkout is found.

Slow: the pinned packages are installed again.
"""

import os
import subprocess
import sys
import zipfile

import pytest
from helpers import ROOT
from tutorials import TUTORIALS, in_smoke_form

from genjax import config_files

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The path of the built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", f"--wheel-dir={folder}", str(ROOT)]
    subprocess.run(argv, check=True)
    (path,) = folder.glob("genjax_models-*.whl")
    return path


@pytest.fixture(scope="module")
def genjax(wheel, tmp_path_factory):
    """A function that runs a program of an environment with the wheel, in a folder of its own; its output."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    programs = folder / "venv" / "bin"
    argv = [programs / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel]
    subprocess.run(argv, check=True)
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    place = {"XDG_CACHE_HOME": str(folder / "cache"), "JAX_PLATFORMS": "cpu"}

    def call(program, *arguments):
        argv = [programs / program, *arguments]
        done = subprocess.run(argv, cwd=folder, env=clean | place, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call.folder = folder
    return call


def test_the_wheel_has_the_configs_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    configs = {f"genjax/configs/{name}.py" for name in config_files.names()}
    assert configs | {"genjax/configs/index.json", "genjax/configs/results.toml"} <= set(names)
    assert [name for name in names if name.startswith(("tests", "docs", "experiments"))] == []


def test_the_first_minute(genjax):
    assert "genjax train demo" in genjax("genjax")
    assert "\ndemo " in genjax("genjax", "configs")
    genjax("genjax", "train", "demo:smoke")
    assert (genjax.folder / "runs" / "demo_smoke" / "report.html").is_file()
    genjax("genjax", "train", "runs/demo_smoke")  # which is done
    assert "--config.penalty.r1=" in genjax("genjax", "__complete", "genjax train demo --config.penalty.r")


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs(genjax, path):
    program = genjax.folder / f"{path.stem}.py"
    program.write_text(in_smoke_form(path), "utf-8")
    genjax("python", program)
