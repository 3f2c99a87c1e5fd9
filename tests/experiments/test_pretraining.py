"""The study's intervals are Student's, its runs are not repeated, and pretraining is shared to the bit."""

import json

import numpy as np
import pytest
from helpers import checkpoints, config_of, leaves
from scipy import stats

from experiments import pretraining
from genjax.errors import InputError
from genjax.run.recorder import Recorder
from genjax.run.training import train


def result(labels, seed, scratch, pretrained):
    return {"labels": labels, "seed": seed, "scratch": scratch, "pretrained": pretrained}


def test_an_interval_is_students():
    values = [0.1, 0.4, 0.3, 0.7]
    mean, width = pretraining.interval(values)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (mean - width, mean + width) == pytest.approx((low, high))
    assert pretraining.interval([0.5]) == (0.5, np.inf)


def test_the_gain_is_seed_by_seed(tmp_path):
    results = [
        result(500, 0, 0.70, 0.72),
        result(500, 1, 0.60, 0.62),
        result(100, 0, 0.5, 0.6),
        result(100, 1, 0.5, 0.5),
    ]
    few, many = pretraining.summary(results)
    assert (few["labels"], many["labels"], many["seeds"]) == (100, 500, 2)
    assert many["gain"] == pytest.approx((0.02, 0))  # the same for each seed, however far apart the seeds are
    pretraining.write(tmp_path, results)
    assert "| 500 | 2 | 0.6500 ± 0.6353 | 0.6700 ± 0.6353 | 0.0200 ± 0.0000 |" in (tmp_path / "results.md").read_text()
    assert json.loads((tmp_path / "results.json").read_text())["runs"] == results
    assert (tmp_path / "pretraining.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("traced_once")
def test_runs_share_their_pretraining_and_are_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)
    few = config_of("pretrain_classifier", labels=10, data__split="train[:50]")
    more = config_of("pretrain_classifier", labels=20, data__split="train[:50]")
    first, second, alone = (tmp_path / name for name in ("first", "second", "alone"))
    accuracies = pretraining.finished(few, first)
    assert set(accuracies) == {"pretrained", "scratch", "labels", "seed", "test", "config"}
    pretraining.share_pretraining(first, second, 4)
    assert checkpoints(second) == [4]
    pretraining.finished(more, second)
    assert train(more, alone) == 0
    assert leaves(second) == leaves(alone)
    monkeypatch.setattr(pretraining, "train", None)
    assert pretraining.finished(few, first) == accuracies
    with pytest.raises(InputError, match="labels: 10 -> 20"):
        pretraining.finished(more, first)
