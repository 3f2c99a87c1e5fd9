"""The best checkpoint of a run stays, is found by name, and is the same however often the run was stopped."""

import json
import os
import signal

import pytest
from helpers import assert_same, checkpoints, config_of, ending, leaves, rows

from genjax.errors import InputError
from genjax.evaluation.schedule import EvalSchedule, Evaluation
from genjax.run.recorder import Recorder
from genjax.run.restore import restore
from genjax.run.training import train

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("traced_once")]

NUMBERS = {1: 5.0, 2: 4.0, 3: 2.0, 4: 3.0, 5: 2.5, 6: 1.0, 7: 0.5}


@pytest.fixture(autouse=True)
def _known_numbers(monkeypatch):
    """Evaluations at once, of known numbers; no report is drawn."""
    protocol = {"metric": "swd", "settings": {}}

    def evaluate(self, state, step, warn):
        values, better = {"Sliced": NUMBERS[step]}, {"Sliced": "lower"}
        parts = {"evaluation": "swd", "values": values, "better": better, "of": None, "protocol": protocol}
        return Evaluation([{"step": step, **parts, "seconds": 0.0}], {}, 0.0)

    monkeypatch.setattr(EvalSchedule, "evaluate", evaluate)
    monkeypatch.setattr(Recorder, "report", lambda self: None)


@pytest.fixture
def config(images):
    def make(**overrides):
        given = {"steps": 7, "log_every": 3, "sample_every": 7, "save_every": 5, "keep": 1}
        given |= {"data__name": f"folder:{images}", "eval__every": 1, "eval__metrics": "swd", "eval__best": "swd"}
        return config_of("gan", **given | overrides)

    return make


def recorded(run):
    """What config.json and the newest checkpoint say of the best one."""
    info = json.loads((run / "config.json").read_text())["best"]
    manifest = run / "checkpoints" / f"{checkpoints(run)[-1]:08d}" / "manifest.json"
    metadata = json.loads(manifest.read_text())["metadata"]
    assert {key: metadata["best"][key] for key in ("step", "label", "value")} | {
        "evaluations_since": metadata["waited"]
    } == info
    return info


def test_the_best_checkpoint_stays_beside_the_newest_and_is_found_by_name(config, tmp_path, capsys):
    assert train(config(steps=5), tmp_path) == 0
    assert checkpoints(tmp_path) == [3, 5]
    assert recorded(tmp_path) == {"step": 3, "label": "Sliced", "value": 2.0, "evaluations_since": 2}
    assert int(restore(tmp_path, "best")[1].step) == 3
    assert int(restore(tmp_path)[1].step) == 5
    assert "step 3: the best so far, Sliced 2, after 4 at step 2" in capsys.readouterr().err


def test_a_run_without_a_best_says_so(config, tmp_path):
    assert train(config(steps=1, eval__best=""), tmp_path) == 0
    with pytest.raises(InputError, match=r"has no best checkpoint: eval\.best and eval\.every"):
        restore(tmp_path, "best")


@pytest.mark.parametrize("patience", [0, 2])
def test_a_run_that_was_stopped_after_every_step_has_the_same_best_and_end(patience, config, tmp_path, monkeypatch):
    given = config(eval__patience=patience)
    assert train(given, tmp_path / "whole") == 0
    path, code = tmp_path / "run", None
    real = Recorder.record

    def stopped(self, chunk):
        real(self, chunk)
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "record", stopped)
        patch.setattr("genjax.engine.loop.CALL_SECONDS", 0)
        while code != 0:
            code = train(given, path)
            assert code in (0, 128 + signal.SIGTERM)
    assert train(given, path) == 0  # once more changes nothing
    assert checkpoints(path) == checkpoints(tmp_path / "whole") == ([3, 5] if patience else [7])
    assert recorded(path) == recorded(tmp_path / "whole")
    assert_same(ending(path), ending(tmp_path / "whole"))
    assert_same(leaves(path, recorded(path)["step"]), leaves(tmp_path / "whole", recorded(path)["step"]))


def test_an_evaluation_that_a_signal_ends_is_made_when_the_run_goes_on(config, tmp_path, monkeypatch, capsys):
    """A scheduler gives a run 30 seconds, and an evaluation may take minutes: it is given up, and the step is saved."""
    given = config()
    assert train(given, tmp_path / "whole") == 0
    path, real, heard = tmp_path / "run", EvalSchedule.evaluate, []

    def evaluate(self, state, step, warn):
        if step == 3 and len(heard) < 2:
            heard.append(step)
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail("the evaluation went on")
        return real(self, state, step, warn)

    monkeypatch.setattr(EvalSchedule, "evaluate", evaluate)
    for _ in range(2):
        assert train(given, path) == 128 + signal.SIGTERM
        assert "SIGTERM: saved at step 3 of 7" in capsys.readouterr().err
        assert [row["step"] for row in rows(path) if "values" in row] == [1, 2]
    assert train(given, path) == 0
    assert recorded(path) == recorded(tmp_path / "whole")
    assert_same(ending(path), ending(tmp_path / "whole"))


def test_a_signal_before_the_first_step_ends_at_once(config, tmp_path, monkeypatch, capsys):
    def extract(self, progress):
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("the features of the reference were waited for")

    monkeypatch.setattr(EvalSchedule, "extract_reference", extract)
    assert train(config(), tmp_path) == 128 + signal.SIGTERM
    assert "SIGTERM: stopped before the first step; start it again" in capsys.readouterr().err
    assert checkpoints(tmp_path) == []


def test_a_killed_run_judges_again_what_no_checkpoint_counts(config, tmp_path, monkeypatch):
    given = config(eval__patience=2)
    assert train(given, tmp_path / "whole") == 0
    real = Recorder.evaluate

    def die(self, state, step):
        real(self, state, step)
        if step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "evaluate", die)
        with pytest.raises(KeyboardInterrupt):
            train(given, tmp_path / "run")
    assert checkpoints(tmp_path / "run") == [3]
    assert train(given, tmp_path / "run") == 0
    assert_same(ending(tmp_path / "run"), ending(tmp_path / "whole"))


def test_a_run_out_of_patience_stops_with_a_line_and_goes_on_when_forced(config, tmp_path, capsys):
    given = config(eval__patience=2)
    line = "stopped at step 5 of 7: Sliced has not improved in 2 evaluations (eval.patience=2); the best is 2 at step 3"
    assert train(given, tmp_path) == 0
    assert line in capsys.readouterr().err
    assert [row["step"] for row in rows(tmp_path)] == [1, 2, 3, 3, 4, 5]
    assert train(given, tmp_path) == 0
    printed = capsys.readouterr().err
    assert line in printed
    assert "the run has stopped at step 5" in printed
    assert train(config(eval__patience=3), tmp_path, force=True) == 0
    assert checkpoints(tmp_path) == [7]
    assert recorded(tmp_path)["step"] == 7
