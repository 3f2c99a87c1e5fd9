"""Which runs go on: the same ones, wherever their data are now. Others are refused, and nothing saved is lost."""

import json

import pytest
from helpers import config_of

from genjax import __version__
from genjax.engine.checkpoint import Newest
from genjax.errors import InputError
from genjax.run import origin
from genjax.run.restore import open_config
from genjax.run.resume import check_nothing_is_lost, check_same_run, with_names_kept
from genjax.run.workdir import Workdir

DATA = {"split": "train", "size": 9, "shape": [28, 28, 1], "labels": [], "fingerprint": "ab"}
NONE = Newest(None, {}, [])


def info_of(name="folder:pics", files=None, fingerprint="ab", config="gan", **overrides):
    """A config.json of this code."""
    c = config_of(config, data__name=name, **overrides)
    return {
        "config": c.to_dict(),
        "data": DATA | {"name": name, "fingerprint": fingerprint},
        "files": files or {},
        "extensions": {},
        "versions": {"genjax-models": __version__},
        "git": origin.git(),
        "folder": origin.folder(),
    }


def run_of(path, **given):
    """A folder with a run that was saved."""
    workdir = Workdir(path)
    workdir.begin(json.loads(json.dumps(info_of(**given))), 4)
    return workdir


@pytest.fixture(autouse=True)
def _with_data(tmp_path_factory, monkeypatch):
    """The data, in the working folder."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "pics").mkdir()
    monkeypatch.chdir(folder)


# -- the same run


def test_the_same_run_has_nothing_to_say(tmp_path):
    assert check_same_run(run_of(tmp_path), info_of(), force=False) == []


def test_another_number_of_processes_that_read_goes_on_with_a_word(tmp_path):
    notes = check_same_run(run_of(tmp_path), info_of(data__workers=3), force=False)
    assert notes == ["data.workers: 0 -> 3: the batches are the same"]


def test_moved_data_of_one_fingerprint_go_on_with_a_word(tmp_path):
    workdir = run_of(tmp_path)
    notes = check_same_run(workdir, info_of("folder:/elsewhere/photos", data__dir="sets"), force=False)
    assert notes == [
        "data.dir:  -> sets: moved, the contents are the same",
        "data.name: folder:pics -> folder:/elsewhere/photos: moved, the contents are the same",
    ]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"fingerprint": "cd"}, "data.fingerprint: ab -> cd"),
        ({"data__split": "train[:5]"}, "data.split: train -> train[:5]"),
        ({"seed": 3}, "seed: 0 -> 3"),
    ],
)
def test_moved_data_with_another_difference_are_refused(other, message, tmp_path):
    workdir = run_of(tmp_path)
    with pytest.raises(InputError) as refused:
        check_same_run(workdir, info_of("folder:/elsewhere/photos", **other), force=False)
    assert message in str(refused.value)
    assert check_same_run(workdir, info_of("folder:/elsewhere/photos", **other), force=True) == []


def style(folder, masks=(), **digests):
    """A run of style transfer with images in a folder."""
    return {
        "name": f"image:{folder}/content",
        "files": {f"{folder}/{name}": digest for name, digest in digests.items()},
        "config": "style_gatys",
        "style__images": tuple(f"{folder}/{name}" for name in digests if name not in ("content", *masks)),
        "style__masks": tuple(f"{folder}/{name}" for name in masks),
    }


def test_moved_images_of_a_style_go_on_and_other_ones_do_not(tmp_path):
    workdir = run_of(tmp_path, **style("a", content="1", x="2", y="3"))
    notes = check_same_run(workdir, info_of(**style("b", content="1", x="2", y="3")), force=False)
    assert [note.partition(":")[0] for note in notes] == ["data.name", "style.images"]
    for other in (
        style("b", content="1", x="2", y="4"),
        style("b", content="1", x="3", y="2"),
        style("b", content="1", x="2"),
        style("b", content="1", x="2", y="3", masks=("y",)),
    ):
        with pytest.raises(InputError, match="holds a run of another config"):
            check_same_run(workdir, info_of(**other), force=False)


def test_a_run_that_goes_on_from_another_folder_keeps_its_relative_names(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    for name in ("content", "x"):
        (tmp_path / "a" / name).touch()
    monkeypatch.chdir(tmp_path)
    workdir = run_of(tmp_path / "run", **style("a", content="1", x="2"))
    old = workdir.read_info()
    monkeypatch.chdir(tmp_path / "a")
    info = info_of(**style(f"{tmp_path}/a", content="1", x="2"))
    assert check_same_run(workdir, info, force=False) == []
    kept = with_names_kept(workdir, info)
    assert kept["folder"] == old["folder"] == str(tmp_path)
    assert (kept["config"]["data"]["name"], *kept["config"]["style"]["images"]) == ("image:a/content", "a/x")
    elsewhere = info_of(**style(f"{tmp_path}/b", content="1", x="2"))
    assert with_names_kept(workdir, elsewhere) == elsewhere


def test_keys_that_an_older_run_lacks_are_named(tmp_path):
    workdir = run_of(tmp_path)
    info = workdir.read_info()
    del info["config"]["data"]["upscale"]
    workdir.begin(info, 4)
    assert check_same_run(workdir, info_of(), force=False) == [
        "keys that the run did not have are at their defaults: data.upscale"
    ]


# -- other code


OTHER = {"versions": {"genjax-models": "0.1.0"}, "git": {"commit": "0123456789abcdef" * 2, "dirty": False}}


def test_a_run_with_keys_of_other_code_names_them_the_code_and_the_way_back(tmp_path):
    workdir = run_of(tmp_path)
    info = workdir.read_info() | OTHER
    info["config"]["penalty"]["gone"] = 1.0
    workdir.begin(info, 4)
    with pytest.raises(InputError) as refused:
        open_config(tmp_path)
    text = str(refused.value)
    assert "has keys that the task 'gan' lacks: penalty.gone; if they no longer matter, remove them" in text
    assert f"made by genjax 0.1.0 at commit 0123456789ab, and this is genjax {__version__}" in text
    assert "to go back: git checkout 0123456789ab" in text
    with pytest.raises(InputError, match=r"penalty.gone: 1.0 -> absent\n  \(made by genjax 0.1.0 at commit"):
        check_same_run(workdir, info_of(), force=False)


def test_a_run_of_a_task_of_other_code_names_it_too(tmp_path):
    workdir = run_of(tmp_path)
    info = workdir.read_info() | OTHER | {"git": None}
    info["config"]["task"] = "gone"
    workdir.begin(info, 4)
    for check in (lambda: open_config(tmp_path), lambda: check_same_run(workdir, info_of(), force=False)):
        with pytest.raises(InputError, match=r"(?s)no 'gone'.*to go back: pip install genjax-models==0.1.0"):
            check()


# -- nothing is lost


def test_a_new_folder_and_one_with_a_checkpoint_are_accepted(tmp_path):
    check_nothing_is_lost(Workdir(tmp_path / "new"), NONE, force=False)
    check_nothing_is_lost(run_of(tmp_path / "run"), Newest(4, {}, []), force=False)
    check_nothing_is_lost(run_of(tmp_path / "run"), Newest(2, {}, ["4 is damaged"]), force=False)


@pytest.mark.parametrize("damaged", [[], ["4 is damaged"]])
def test_a_run_that_was_saved_is_not_begun_again(damaged, tmp_path):
    workdir = run_of(tmp_path)
    workdir.log({"step": 4})
    with pytest.raises(InputError) as refused:
        check_nothing_is_lost(workdir, Newest(None, {}, damaged), force=False)
    assert str(refused.value).splitlines() == [
        f"{tmp_path} has a run that was saved (rows up to step 4), but no intact checkpoint:",
        *(f"  {line}" for line in damaged or ["there is none in checkpoints/"]),
        "put its checkpoints back, choose another --workdir, or --resume=force to begin at step 0 "
        f"(all of it is moved to {tmp_path}/set_aside)",
    ]
    check_nothing_is_lost(workdir, Newest(None, {}, damaged), force=True)


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(tmp_path):
    workdir = run_of(tmp_path)
    workdir.begin(workdir.read_info(), None)
    workdir.log({"step": 999})
    check_nothing_is_lost(workdir, NONE, force=False)


@pytest.mark.parametrize(("step", "saved"), [(1, False), (2, True)])  # it saves every 2
def test_a_run_of_before_that_was_recorded_is_known_by_its_rows(step, saved, tmp_path):
    workdir = run_of(tmp_path)
    info = workdir.read_info()
    del info["saved"]
    workdir.config_file.write_text(json.dumps(info))
    workdir.log({"step": step})
    if not saved:
        return check_nothing_is_lost(workdir, NONE, force=False)
    with pytest.raises(InputError, match="has a run that was saved"):
        check_nothing_is_lost(workdir, NONE, force=False)


@pytest.mark.parametrize("newest", [NONE, Newest(4, {}, [])])
def test_records_without_a_config_json_are_not_begun_again(newest, tmp_path):
    workdir = run_of(tmp_path)
    workdir.log({"step": 4})
    workdir.config_file.unlink()
    with pytest.raises(InputError, match=r"has no config\.json, but rows up to step 4"):
        check_nothing_is_lost(workdir, newest, force=False)
