"""Trackers: which are chosen, what is logged once, and failures that do not reach the run."""

import json
import shutil
import sqlite3

import pytest
from helpers import checkpoints, config_of
from PIL import Image

from genjax.errors import InputError
from genjax.run import trackers
from genjax.run.recorder import Recorder
from genjax.run.trackers import Tracker
from genjax.run.training import prepare, train
from genjax.run.workdir import TRACKERS
from genjax.run.writers import WRITERS, About


@pytest.fixture
def calls(monkeypatch):
    """The calls of a tracker "fake", whose runs are numbered."""
    made = []

    class Fake:
        package = "json"
        where = "here"

        def __init__(self, about, run_id):
            self.id = run_id or f"run-{len(made)}"
            made.append(("begin", self.id, about.project))

        def scalars(self, step, values):
            made.extend((name, step, value) for name, value in values.items())

        def image(self, step, name, image):
            made.append((name, step, image.size))

        def flush(self):
            made.append("flush")

        def close(self):
            made.append("close")

    monkeypatch.setitem(WRITERS, "fake", Fake)
    return made


def tracker(folder, said, name="fake"):
    return Tracker(name, About(folder, "a project", {"seed": 0}), said.append)


def test_the_names_are_those_of_the_config_and_the_flag(calls):
    assert trackers.names(config_of("gan")) == []
    assert trackers.names(config_of("gan", log__trackers="fake, tensorboard"), tensorboard=True) == [
        "fake",
        "tensorboard",
    ]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"log__trackers": "wandv"}, r"log.trackers: no 'wandv' \(did you mean 'wandb'\?\); choose from 'tensorboard'"),
        ({"log__trackers": "missing"}, "log.trackers='missing' needs no_such_package: pip install no_such_package"),
        ({"log__project": " "}, r"log.project=' ': expected the name of a project"),
    ],
)
def test_what_cannot_be_logged_to_is_refused_before_the_data_are_read(keys, message, monkeypatch):
    class Missing:
        package = "no_such_package"

    monkeypatch.setitem(WRITERS, "missing", Missing)
    with pytest.raises(InputError, match=message):
        prepare(config_of("gan", data__name="folder:there/is/none", **keys))


def test_a_process_that_goes_on_logs_to_the_same_run_and_nothing_twice(calls, tmp_path):
    said = []
    first = tracker(tmp_path, said)
    first.preview("samples", 0, Image.new("L", (3, 2)))
    first.scalars(5, {"loss": 1.0})
    first.scalars(5, {"Fréchet distance": 9.0})  # of an evaluation at the same step
    first.scalars(10, {"loss": 0.5})
    first.close()
    second = tracker(tmp_path, said)  # from a checkpoint of step 5
    second.scalars(10, {"loss": 0.5, "new": 2.0})
    second.scalars(15, {"loss": 0.2})
    second.preview("samples", 0, Image.new("L", (3, 2)))
    second.preview("samples", 10, Image.new("L", (3, 2)))
    second.flush()
    assert calls == [
        ("begin", "run-0", "a project"),
        ("samples", 0, (3, 2)),
        ("loss", 5, 1.0),
        ("Fréchet distance", 5, 9.0),
        ("loss", 10, 0.5),
        "close",
        ("begin", "run-0", "a project"),
        ("new", 10, 2.0),
        ("loss", 15, 0.2),
        ("samples", 10, (3, 2)),
        "flush",
    ]
    assert said == ["fake begins: here", "fake goes on: here"]
    assert json.loads((tmp_path / TRACKERS).read_text())["fake"]["run"] == "run-0"


@pytest.mark.parametrize("method", ["__init__", "scalars", "image", "flush", "close"])
def test_a_failure_is_one_line_and_ends_the_logging(method, calls, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("no\nnetwork")

    monkeypatch.setattr(WRITERS["fake"], method, fail)
    said = []
    sink = tracker(tmp_path, said)
    for step in (1, 2):
        sink.scalars(step, {"loss": 1.0})
        sink.preview("samples", step, Image.new("L", (3, 2)))
        sink.flush()
    sink.close()
    lines = [line for line in said if line.startswith("warning")]
    assert lines == ["warning: fake failed, nothing more is logged there (RuntimeError: no network)"]
    most = {"__init__": 0, "scalars": 0, "image": 1, "flush": 1, "close": 2}
    assert len([call for call in calls if call[0] == "loss"]) == most[method]


def test_notes_that_are_damaged_end_the_logging_and_double_nothing(calls, tmp_path):
    (tmp_path / TRACKERS).write_text("{")
    said = []
    tracker(tmp_path, said).scalars(1, {"loss": 1.0})
    assert calls == []
    assert len(said) == 1


def test_two_trackers_keep_their_notes_in_one_file(calls, tmp_path, monkeypatch):
    monkeypatch.setitem(WRITERS, "other", WRITERS["fake"])
    for name in ("fake", "other"):
        tracker(tmp_path, [], name).scalars(1, {"loss": 1.0})
    assert json.loads((tmp_path / TRACKERS).read_text()) == {
        "fake": {"run": "run-0", "steps": {"loss": 1}},
        "other": {"run": "run-2", "steps": {"loss": 1}},
    }


@pytest.mark.heavy
def test_a_run_that_resumes_logs_each_row_once(calls, images, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Recorder, "report", lambda self: None)
    keys = {"steps": 8, "log_every": 2, "save_every": 4, "sample_every": 4, "data__name": f"folder:{images}"}
    assert train(config_of("gan", log__trackers="fake", **keys), tmp_path) == 0
    shutil.rmtree(tmp_path / "checkpoints" / "00000008")
    assert checkpoints(tmp_path) == [4]
    assert train(config_of("gan", log__trackers="fake,tensorboard", **keys), tmp_path) == 0
    assert [step for name, step, *_ in calls if name == "critic/loss"] == [2, 4, 6, 8]
    assert [step for name, step, *_ in calls if name == "samples"] == [0, 4, 8]
    assert [run for name, run, *_ in calls if name == "begin"] == ["run-0", "run-0"]
    assert calls.count("close") == 2
    assert "log.trackers: fake -> fake,tensorboard: the numbers are the same" in capsys.readouterr().err
    assert (tmp_path / "tensorboard").is_dir()


# -- the libraries themselves


@pytest.fixture
def logged_twice(tmp_path, monkeypatch):
    """Logs steps 1 and 2, and 2 and 3 in a second process's place; the folder and what was said."""

    def log(name):
        monkeypatch.chdir(tmp_path)
        said = []
        for steps in ((1, 2), (2, 3)):
            sink = tracker(tmp_path, said, name)
            for step in steps:
                sink.scalars(step, {"critic/loss": 0.5 * step, "Fréchet distance (x)": 1.0})
                sink.preview("samples", step, Image.new("L", (4, 4)))
            sink.flush()
            sink.close()
        assert [line.split(":")[0] for line in said] == [f"{name} begins", f"{name} goes on"], said
        return json.loads((tmp_path / TRACKERS).read_text())[name]["run"]

    return log


def test_tensorboard_gets_each_point_once(logged_twice, tmp_path):
    logged_twice("tensorboard")
    content = b"".join(path.read_bytes() for path in (tmp_path / "tensorboard").iterdir())
    assert content.count(b"critic/loss") == 3


def test_mlflow_gets_each_point_once(logged_twice, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("alembic")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/store.db")
    run = logged_twice("mlflow")
    client = mlflow.MlflowClient()
    history = [(point.step, point.value) for point in client.get_metric_history(run, "critic/loss")]
    assert history == [(1, 0.5), (2, 1.0), (3, 1.5)]
    assert len(client.get_metric_history(run, "Fréchet distance _x_")) == 3
    assert client.get_run(run).data.params == {"seed": "0"}
    assert len(client.list_artifacts(run, "images/samples")) == 3


def test_trackio_gets_each_point_once(logged_twice, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    pytest.importorskip("trackio")
    logged_twice("trackio")
    (store,) = (tmp_path / "trackio").glob("*.db")
    with sqlite3.connect(store) as database:
        logged = [json.loads(text) for (text,) in database.execute("select metrics from metrics order by step")]
    assert [row["critic/loss"] for row in logged if "critic/loss" in row] == [0.5, 1.0, 1.5]


def test_wandb_offline_keeps_one_run(logged_twice, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = logged_twice("wandb")
    files = sorted((tmp_path / "wandb").glob(f"offline-run-*-{run}/run-{run}.wandb"))
    assert sum(path.read_bytes().count(b"critic/loss") > 0 for path in files) == len(files) >= 1
