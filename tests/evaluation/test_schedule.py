"""Evaluations during training: what they record, their budget, and that training does not change."""

import shutil

import numpy as np
import pytest
from helpers import Program, assert_same, config_of, ending, run, without_report

from genjax import data, tasks
from genjax.errors import InputError
from genjax.evaluation import schedule as schedules
from genjax.evaluation.registry import METRICS
from genjax.evaluation.schedule import EvalSchedule
from genjax.run.records import read_evaluations

# Pixels as features: small, and known.
JUDGED = {"eval.every": 2, "eval.metrics": "swd,neighbors", "eval.samples": 20, "eval.budget": 1e9}


@pytest.fixture(scope="module")
def flags(images):
    given = JUDGED | {"data.name": f"folder:{images}", "steps": 6, "sample_every": 6, "save_every": 3}
    return ["--config=configs/gan.py:smoke", *(f"--config.{key}={value}" for key, value in given.items())]


@pytest.fixture(scope="module")
def whole(flags, tmp_path_factory):
    """The folder of an evaluated run, not to be changed, and what it said."""
    path = tmp_path_factory.mktemp("judged")
    done = run("genjax.train", *flags, f"--workdir={path}")
    assert done.code == 0, done.err
    return path, done.err


@pytest.mark.heavy
def test_a_run_is_evaluated_during_training(whole, tmp_path):
    path, said = whole
    rows = read_evaluations(path / "metrics.jsonl")
    assert [(row["step"], row["evaluation"]) for row in rows] == [
        (step, name) for step in (2, 4, 6) for name in ("swd", "neighbors")
    ]
    assert "step 4: Sliced Wasserstein distance" in said
    assert (path / "neighbors.png").exists()
    assert "<h2>Evaluation</h2>" in (path / "report.html").read_text()
    # The same numbers as of the finished run from its folder alone.
    shutil.copytree(path, tmp_path / "run")
    given = [f"--workdir={tmp_path / 'run'}", "--samples=20", "--metrics=swd", f"--out={tmp_path / 'o'}"]
    alone = run("genjax.evaluate", *given)
    assert alone.code == 0, alone.err
    (row,) = read_evaluations(tmp_path / "o")
    assert row["values"] == rows[-2]["values"]
    assert row["protocol"] == rows[-2]["protocol"]


@pytest.mark.heavy
def test_a_conditional_run_is_evaluated_by_the_shares_of_its_data(tmp_path):
    given = {"eval.every": 4, "eval.metrics": "swd", "eval.samples": 100, "data.split": "train[:150]"}
    flags = [f"--config.{key}={value}" for key, value in given.items()]
    done = run("genjax.train", "--config=configs/cgan.py:smoke", f"--workdir={tmp_path}", *flags)
    assert done.code == 0, done.err
    again = run("genjax.evaluate", f"--workdir={tmp_path}", "--samples=100", "--metrics=swd", f"--out={tmp_path / 'o'}")
    assert "100 samples, of classes in the shares of fashion_mnist_10k" in again.out, again.err
    (row,), (other,) = (read_evaluations(tmp_path / name) for name in ("metrics.jsonl", "o"))
    assert (row["values"], row["protocol"]) == (other["values"], other["protocol"])
    assert row["protocol"]["samples"]["classes"] == "reference"
    given = [f"--workdir={tmp_path}", "--samples=100", "--metrics=swd", "--classes=uniform"]
    uniform = run("genjax.evaluate", *given)
    assert "100 samples, of the seeds 0 to 99" in uniform.out
    assert "samples.classes: reference -> uniform" in uniform.out
    run("genjax.evaluate", "--images=emoji_32", "--reference=emoji_32", "--classes=uniform").assert_refused("--classes")


def test_only_two_ways_of_drawing_classes_are_known(schedule):
    with pytest.raises(InputError, match=r"eval\.classes: no 'equal'; choose from 'reference', 'uniform'"):
        schedule(classes="equal")


@pytest.mark.heavy
def test_evaluations_do_not_change_training(flags, whole, tmp_path):
    done = run("genjax.train", *flags, "--config.eval.every=0", f"--workdir={tmp_path}", before=without_report)
    assert done.code == 0, done.err
    judged, not_judged = ending(whole[0]), ending(tmp_path)
    same = [key for key in not_judged if not key.startswith("row")]
    assert_same({key: judged[key] for key in same if key != "rows"}, {k: not_judged[k] for k in same if k != "rows"})


def stop_at_4():
    """As a scheduler would, in the middle."""
    import os
    import signal

    from genjax.engine import loop

    real = loop.train

    def watched(*args):
        for chunk in real(*args):
            if chunk.step >= 4:
                os.kill(os.getpid(), signal.SIGTERM)
            yield chunk

    loop.train = watched
    without_report()


@pytest.mark.heavy
def test_a_stopped_run_ends_with_the_results_of_an_uninterrupted_one(flags, whole, tmp_path):
    whole, cut = whole[0], tmp_path / "cut"
    assert Program("genjax.train", *flags, f"--workdir={cut}", before=stop_at_4).wait().code == 143
    assert run("genjax.train", *flags, f"--workdir={cut}", before=without_report).code == 0
    assert_same(ending(cut), ending(whole))
    results = [read_evaluations(path / "metrics.jsonl") for path in (whole, cut)]
    assert len(results[0]) == 6
    for one, other in zip(*results, strict=True):
        assert {k: v for k, v in one.items() if k != "seconds"} == {k: v for k, v in other.items() if k != "seconds"}


# -- when


@pytest.fixture
def schedule(images):
    def make(**options):
        config = config_of("gan", **{f"eval__{key}": value for key, value in options.items()})
        config.data.name, config.steps = f"folder:{images}", 100
        source = data.load(config.data)
        return EvalSchedule(config, source, tasks.build(config, source.shape))

    return make


def test_a_run_is_evaluated_at_multiples_of_every_and_at_its_end(schedule):
    every = schedule(every=30)
    assert [step for step in range(1, 101) if every.due(step, 10.0, 0.0).due] == [30, 60, 90, 100]
    never = schedule(every=0)
    assert not any(never.due(step, 10.0, 0.0).due for step in range(1, 101))
    assert not never.nets


def test_evaluations_beyond_the_budget_are_skipped_with_one_message(schedule):
    tenth = schedule(every=10, budget=0.1)
    tenth.cost = 10.0  # after 10 seconds of evaluations the next would make it 20
    note = "step 10: no evaluation, it would take 17% of the time (eval.budget=0.1)"
    assert tenth.due(10, 100.0, 10.0) == (False, note)  # 20 of 120 seconds
    assert tenth.due(20, 179.0, 10.0) == (False, "")  # 20 of 199
    assert tenth.due(30, 180.0, 10.0) == (True, "")  # 20 of 200
    assert tenth.due(100, 1.0, 10.0) == (True, "")  # the last step is always evaluated


@pytest.mark.heavy
def test_an_evaluation_that_fails_is_reported_and_the_run_continues(flags, tmp_path):
    done = Program("genjax.train", *flags, f"--workdir={tmp_path}", before=fail).wait()
    assert done.code == 0, done.err
    assert "warning: step 2 could not be judged: no numbers today" in done.err


def fail():
    def evaluate(*_):
        raise InputError("no numbers today")

    EvalSchedule.evaluate = evaluate


def test_classifiers_are_evaluated_by_accuracy(images):
    config = config_of("classifier", eval__every=1)
    source = data.load(config.data)
    made = schedules.EvalSchedule(config, source, tasks.build(config, source.shape))
    assert made.metrics == [METRICS["accuracy"]]
    assert made.heldout.split == "test"
    assert np.array_equal(made.heldout.shape, source.shape)
