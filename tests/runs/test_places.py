"""Runs from other folders than they were made in, with moved data, and in folders that cannot be written."""

import ctypes
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import Program, config_of, run

from genjax.errors import InputError
from genjax.run.loaded import Examples, open_run
from genjax.run.recorder import Recorder
from genjax.run.restore import load_info
from genjax.run.training import train


@pytest.fixture(autouse=True)
def _without_report(monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)


@pytest.fixture
def made(images, tmp_path, monkeypatch):
    """A run that was made in the folder `a`, of images named from there; the working folder is now `b`."""
    shutil.copytree(images, tmp_path / "a" / "pics")
    monkeypatch.chdir(tmp_path / "a")
    assert train(config_of("ae_stacked", data__name="folder:pics"), "run") == 0
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    return tmp_path / "a" / "run"


def test_a_run_finds_its_data_from_another_folder_and_after_a_move_with_them(made, tmp_path, monkeypatch, capsys):
    config = load_info(made)["config"]
    examples = open_run(made).examples
    assert len(examples) == 20
    for command in ("train", "encode", "evaluate"):  # in the folder of the tests
        out = {"encode": [f"--out={tmp_path}/x.npz"], "evaluate": [f"--out={tmp_path}/x.jsonl"]}.get(command, [])
        done = run(f"genjax.{command}", f"--workdir={made}", *out)
        assert done.code == 0, done.err
    assert (load_info(made)["config"], load_info(made)["folder"]) == (config, str(tmp_path / "a"))
    with np.load(tmp_path / "x.npz") as arrays:
        assert len(arrays["latents"]) == 20
    moved = shutil.move(tmp_path / "a", tmp_path / "c")
    with pytest.raises(InputError, match=rf"folder:{tmp_path}/a/pics does not exist"):
        open_run(Path(moved) / "run")
    monkeypatch.chdir(moved)
    np.testing.assert_array_equal(open_run("run").examples, examples)
    assert train(config_of("ae_stacked", data__name="folder:pics"), "run") == 0
    assert load_info("run")["config"] == config
    os.rename("pics", "photos")
    capsys.readouterr()
    assert train(config_of("ae_stacked", data__name="folder:photos"), "run") == 0
    assert (
        f"data.name: folder:{moved}/pics -> folder:photos: moved, the contents are the same" in capsys.readouterr().err
    )
    np.testing.assert_array_equal(open_run("run").examples, examples)
    shutil.copy("photos/00.png", "photos/01.png")
    open_run("run", Examples(split="train"))
    assert "folder:photos train: the data, or the code that reads them, have changed" in capsys.readouterr().err


# -- folders that cannot be written

OUTSIDE = {
    "genjax.sample": "x.png",
    "genjax.encode": "x.npz",
    "genjax.reconstruct": "x.npy",
    "genjax.show": "look",
    "genjax.evaluate": "x.jsonl",
}
WITHIN = {"genjax.show": "images", "genjax.evaluate": "metrics.jsonl"}
"""Commands that write to the run's folder, unless --out is given."""


def bound_by_permissions():
    """Make permissions bind root as well: without the capability CAP_DAC_OVERRIDE."""
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this thread; those that it starts inherit
    sets = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    sets[0] &= ~(1 << 1)  # of the effective set
    assert libc.capset(header, sets) == 0


linux = pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")


@pytest.fixture(scope="module")
def read_only(denoiser, tmp_path_factory):
    """A copy of a run in a folder that can be read only, and a folder for results."""
    folder = tmp_path_factory.mktemp("read_only")
    shutil.copytree(denoiser, folder / "run")
    (folder / "out").mkdir()
    for path in (folder / "run", *(folder / "run").rglob("*")):
        path.chmod(0o555)
    return folder


@linux
@pytest.mark.parametrize("module", WITHIN)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(module, read_only):
    done = Program(module, f"--workdir={read_only}/run", before=bound_by_permissions).wait()
    done.assert_refused(f"{read_only}/run/{WITHIN[module]} cannot be written: Permission denied; choose another --out")


@linux
@pytest.mark.parametrize("module", sorted(OUTSIDE.keys() - {"genjax.sample"}))
def test_results_of_a_run_that_can_be_read_only_go_elsewhere(module, read_only):
    out = read_only / "out" / OUTSIDE[module]
    options = ["--count=20"] if module != "genjax.evaluate" else ["--metrics=reconstruction"]
    cache = f"{read_only}/out/cache"
    flags = (f"--workdir={read_only}/run", f"--out={out}", *options)
    done = Program(module, *flags, before=bound_by_permissions, XDG_CACHE_HOME=cache).wait()
    assert done.code == 0, done.err
    assert out.exists()


@pytest.mark.parametrize("module", OUTSIDE)
def test_an_out_that_cannot_be_written_is_refused_before_the_work(module, denoiser):
    done = run(module, f"--workdir={denoiser}", f"--out=/proc/none/{OUTSIDE[module]}")
    done.assert_refused("/proc/none/", "cannot be written", "choose another --out")
