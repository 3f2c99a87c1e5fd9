"""Whether a file can be written is known before it is written, and nothing is left of the trial."""

import os

import pytest

from genjax.files import new_folder, try_writing


def test_a_trial_leaves_nothing_and_makes_no_folder(tmp_path):
    (tmp_path / "x.txt").write_text("as it is")
    for append in (False, True):
        try_writing(tmp_path / "x.txt", append)
        try_writing(tmp_path / "new" / "folder" / "x.txt", append)
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]
    assert (tmp_path / "x.txt").read_text() == "as it is"


def test_a_device_can_be_written():
    try_writing(os.devnull)


@pytest.mark.parametrize("append", [False, True])
def test_a_place_that_cannot_be_written_is_refused(append, tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "x.txt", "/proc/none/x.txt"):
        with pytest.raises(OSError, match="directory"):
            try_writing(place, append)


def write_half(path):
    with new_folder(path) as folder:
        (folder / "half").touch()
        raise ZeroDivisionError


@pytest.mark.parametrize("name", ["new", "empty"])
def test_a_new_folder_is_there_completely_or_not_at_all(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZeroDivisionError):
        write_half(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
    with new_folder(tmp_path / name) as folder:
        (folder / "file").touch()
    assert [path.name for path in (tmp_path / name).iterdir()] == ["file"]
    with pytest.raises(OSError, match="not empty"), new_folder(tmp_path / name):
        pass
    assert {path.name for path in tmp_path.rglob("*")} == {"empty", name, "file"}
