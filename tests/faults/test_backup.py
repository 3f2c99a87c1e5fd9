"""Runs copied to object storage: a machine with an empty folder goes on to the same bits, whatever was interrupted.

A server on this machine stands for Google Cloud Storage (tests/objects.py).
"""

import shutil

import pytest
from helpers import STEPS, Program, assert_same, checkpoints, ending, leaves
from objects import storage

from genjax.errors import InputError
from genjax.files import check_is_path
from genjax.run.backup import Backup
from genjax.run.recorder import Recorder
from genjax.run.training import train
from genjax.run.workdir import Workdir

pytestmark = pytest.mark.optimized
URL = "gs://bucket/runs/one"


@pytest.fixture(scope="module")
def server():
    with storage() as objects:
        yield objects


@pytest.fixture(scope="module")
def lost(server, config, tmp_path_factory):
    """The folder of a run with a backup that a fault ended after step 3, and the objects that it left."""
    path = tmp_path_factory.mktemp("lost")
    real = Recorder.record

    def record(self, result):
        if result.step > 3:
            raise OSError("the machine is lost")
        real(self, result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "record", record)
        patch.setattr(Recorder, "report", lambda self: None)
        assert train(config(), path, backup=Backup(URL)) == 1
    return path, dict(server)


@pytest.fixture
def objects(server, lost):
    """The objects that the lost run left."""
    server.clear()
    server.update(lost[1])
    server.broken = False
    return server


def steps(objects):
    """The steps that have a manifest in the backup."""
    return sorted(int(name.split("/")[3]) for name in objects if name.endswith("/manifest.json"))


def test_a_machine_with_an_empty_folder_goes_on_to_the_same_bits(config, whole, objects, tmp_path, capsys):
    assert steps(objects) == [1, 2, 3]
    assert train(config(), tmp_path, backup=Backup(URL)) == 0
    said = capsys.readouterr().err
    assert f"step 3 and its records are fetched from {URL}" in said
    assert "going on from step 3" in said
    assert_same(ending(tmp_path), ending(whole))
    assert steps(objects) == checkpoints(tmp_path) == [STEPS - 2, STEPS - 1, STEPS]
    copied = {name.removeprefix("runs/one/"): data for name, data in objects.items()}
    assert copied["metrics.jsonl"] == (tmp_path / "metrics.jsonl").read_bytes()
    assert {name.split("/")[0] for name in copied} == {"checkpoints", "config.json", "metrics.jsonl", "samples"}
    assert not list(tmp_path.glob(".fetched*"))


def fetch(path, check=lambda there: None):
    path.mkdir()
    return Backup(URL).fetch(Workdir(path), check)


def test_a_copy_that_was_interrupted_or_damaged_is_not_used(objects, lost, tmp_path):
    del objects["runs/one/checkpoints/00000003/manifest.json"]  # the machine was lost before it was written
    assert fetch(tmp_path / "a") == [f"step 2 and its records are fetched from {URL}"]
    assert checkpoints(tmp_path / "a") == [2]
    assert leaves(tmp_path / "a") == leaves(lost[0], 2)
    largest = max((name for name in objects if "/00000002/" in name), key=lambda name: len(objects[name]))
    objects[largest] = objects[largest][:-1] + b"?"
    assert fetch(tmp_path / "b") == [f"step 1 and its records are fetched from {URL}"]
    objects["runs/one/checkpoints/00000001/manifest.json"] = b"{"
    with pytest.raises(InputError, match="has no intact checkpoint"):
        fetch(tmp_path / "c")
    assert not list((tmp_path / "c").iterdir())


def test_what_is_of_another_run_or_behind_the_backup_is_refused(objects, config, lost, tmp_path):
    with pytest.raises(InputError, match="seed: 0 -> 1"):
        train(config(seed=1), tmp_path / "two", backup=Backup(URL))
    assert not (tmp_path / "two").exists()
    behind = shutil.copytree(lost[0], tmp_path / "behind")
    shutil.rmtree(behind / "checkpoints" / "00000003")
    with pytest.raises(InputError, match=r"has step 3, and .* is at step 2: move that away"):
        train(config(), behind, backup=Backup(URL))


def test_a_file_above_the_folder_is_refused(objects, tmp_path):
    objects["runs/one/samples/../../../outside.txt"] = b"x"
    with pytest.raises(InputError, match="none in a folder above it"):
        Backup(URL).fetch(Workdir(tmp_path / "deep" / "new"), lambda workdir: None)
    assert not list(tmp_path.rglob("outside.txt"))


def test_a_folder_that_has_all_is_left_and_one_that_was_fetched_in_part_is_fetched_again(objects, lost, tmp_path):
    here = shutil.copytree(lost[0], tmp_path / "here")
    assert Backup(URL).fetch(Workdir(here), pytest.fail) == []
    shutil.rmtree(here / "checkpoints")
    assert Backup(URL).fetch(Workdir(here), lambda there: None) != []
    assert checkpoints(here) == [3]
    assert leaves(here) == leaves(lost[0])


def test_a_storage_that_fails_is_warned_of_and_gets_all_at_the_next_save(objects, lost, tmp_path):
    here = shutil.copytree(lost[0], tmp_path / "here")
    objects.clear()
    objects.broken = True
    backup = Backup(URL)
    said = backup.copy(here)
    assert said.startswith(f"warning: {URL} lacks what is new in {here}")
    assert "PERMISSION_DENIED" in said
    objects.broken = False
    assert backup.copy(here) == ""
    assert steps(objects) == [1, 2, 3]
    shutil.rmtree(here / "checkpoints" / "00000001")
    assert backup.copy(here) == ""
    assert steps(objects) == [2, 3]
    assert not [name for name in objects if "/00000001/" in name]


@pytest.mark.parametrize("url", ["gs://bucket", "gs://bucket/", "s3://bucket/x", "runs/x", "gs://B/x"])
def test_a_place_that_is_no_folder_of_a_bucket_is_refused(url):
    with pytest.raises(InputError, match=f"--backup={url}: "):
        Backup(url)


def test_an_address_is_no_path(flags):
    """`Path("gs://bucket/x")` is a folder "gs:" in the working folder."""
    said = "gs://bucket/x is an address: expected a path on this machine"
    Program("genjax.train", *flags, "--workdir=gs://bucket/x").wait().assert_refused(said)
    for text in ("gs:/b/x", "s3://b/x", "https://x"):
        with pytest.raises(InputError, match="is an address"):
            check_is_path(text)
    for text in ("gs", "./gs:/b", "/gs:/", "folder:/x"):
        check_is_path(text)
