"""The folder of a run: one process at a time, with and without locks; what is moved and what is kept."""

import errno
import json
import os

import pytest

from genjax.errors import InputError
from genjax.run.restore import load_info
from genjax.run.workdir import LOCKLESS, Workdir


def test_a_folder_is_held_by_one_at_a_time_and_the_holder_is_named(tmp_path):
    with Workdir(tmp_path):
        for _ in range(2):  # a process that is refused leaves the name
            with pytest.raises(InputError, match=f"in use by process {os.getpid()} on .+: wait"), Workdir(tmp_path):
                pass
    with Workdir(tmp_path):
        pass


def test_a_folder_that_was_made_for_nothing_is_removed(tmp_path):
    with Workdir(tmp_path / "runs" / "refused"):
        pass
    assert not list(tmp_path.iterdir())
    for folder, file in ((tmp_path / "begun", "config.json"), (tmp_path / "there", "")):
        if not file:
            folder.mkdir()  # the user's own
        with Workdir(folder):
            if file:
                (folder / file).touch()
        assert folder.exists()


@pytest.mark.parametrize("number", LOCKLESS)
def test_a_file_system_without_locks_is_a_warning(number, tmp_path, monkeypatch, capsys):
    fcntl = pytest.importorskip("fcntl")

    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    for last in ("\n", f" (the last one was process {os.getpid()} on "):
        with Workdir(tmp_path):
            pass
        warning = f"cannot be locked ({os.strerror(number)}): no other process may train in it"
        assert warning + last in capsys.readouterr().err


def test_another_error_of_the_lock_is_an_error(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def flock(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(InputError, match="cannot be written: Input/output error"), Workdir(tmp_path):
        pass


NO_RUNS = ["", "[]", "{}", '{"config": 3}', '{"config": {"task": 1}}']


@pytest.mark.parametrize("text", NO_RUNS)
def test_a_config_json_of_something_else_is_unreadable(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json is unreadable"):
        Workdir(tmp_path).read_info()


@pytest.mark.parametrize("data", ["3", "{}"])
def test_a_config_json_without_the_shape_of_the_data_is_of_no_run(data, tmp_path):
    (tmp_path / "config.json").write_text(f'{{"config": {{"task": "gan"}}, "data": {data}}}')
    with pytest.raises(InputError, match="lacks the shape of the data"):
        load_info(tmp_path)


def filled(path):
    """A folder with two rows, an evaluation and images, ours and others."""
    workdir = Workdir(path)
    for step in (2, 4):
        workdir.log({"step": step, "loss": 1.0})
    workdir.log({"step": 4, "evaluation": "kernel", "values": {"K": 1.0}, "protocol": {}})
    (path / "samples").mkdir()
    for name in ("step_00000000.png", "step_00000004.png", "step_my own.png", "cover.png"):
        (path / "samples" / name).touch()
    (path / "notes.txt").write_text("mine")
    return workdir


def test_records_after_a_step_are_described_and_forgotten(tmp_path):
    workdir = filled(tmp_path)
    assert str(workdir.records_after(-1)) == "rows up to step 4, 1 result, 2 images"
    assert str(workdir.records_after(2)) == "rows up to step 4, 1 result, 1 image"
    workdir.forget_after(2)
    assert not any(workdir.records_after(2))
    assert [json.loads(line)["step"] for line in workdir.metrics_file.read_text().splitlines()] == [2]
    names = {path.name for path in (tmp_path / "samples").iterdir()}
    assert names == {"step_00000000.png", "step_my own.png", "cover.png"}


def test_what_is_set_aside_is_complete_and_never_overwritten(tmp_path):
    workdir = filled(tmp_path)
    before = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    assert workdir.set_aside() == tmp_path / "set_aside" / "1"
    after = {path.relative_to(tmp_path / "set_aside" / "1") for path in (tmp_path / "set_aside" / "1").rglob("*")}
    assert after == {path for path in before if path.name != "notes.txt"}
    assert (tmp_path / "notes.txt").exists()
    workdir.log({"step": 1})
    assert workdir.set_aside() == tmp_path / "set_aside" / "2"


def test_config_json_says_whether_the_run_was_saved(tmp_path):
    workdir = Workdir(tmp_path)
    info = {"config": {"task": "gan"}, "data": {"shape": [2]}}
    workdir.begin(info, None)
    assert workdir.read_info() == info | {"saved": None}
    workdir.record_saved(7)
    assert workdir.read_info() == info | {"saved": 7}
