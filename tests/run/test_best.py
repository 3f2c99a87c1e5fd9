"""The best evaluation: which number it is, when another betters it, and when a run gives up."""

from types import SimpleNamespace

import pytest
from helpers import config_of

from genjax.errors import InputError
from genjax.evaluation import registry
from genjax.evaluation.criterion import Criterion, parse
from genjax.run.best import gave_up, judge, resumed
from genjax.run.counters import Counters

NETS = [SimpleNamespace(name="squeezenet", is_fid_inception=False)]
FID = [SimpleNamespace(name="inception", is_fid_inception=True)]


def row(value, label="Fréchet distance (squeezenet)", better="lower", metric="frechet", count=20):
    """A row of an evaluation with one number."""
    directions = {label: better} if better else {}
    return {
        "evaluation": metric,
        "values": {label: value},
        "better": directions,
        "protocol": {"samples": {"count": count}},
    }


def parsed(best, patience=0, every=2, metrics="frechet,precision_recall,ms_ssim,modes", nets=NETS, samples=True):
    config = config_of("gan", eval__best=best, eval__patience=patience, eval__every=every).eval
    return parse(config, registry.parse(metrics), nets, samples)


@pytest.mark.parametrize(
    "name",
    [
        *("frechet", "Fréchet distance", "Fréchet distance (squeezenet)", "precision_recall", "Recall", "modes"),
        *("Recall (squeezenet)", "MS-SSIM of pairs, distance from the reference's", "Modes of 8"),
    ],
)
def test_a_metric_or_a_label_names_the_number(name):
    assert parsed(name) == Criterion(name)
    assert parsed("FID", nets=FID) == Criterion("FID")
    assert parsed("") is None


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ({"best": "frechett"}, ["no such number (did you mean 'frechet'?)", "choose from frechet, precision_recall"]),
        ({"best": "swd"}, ["no such number"]),
        ({"best": "FID"}, ["no such number"]),
        ({"best": "Recall (inception)"}, ["no such number"]),
        ({"best": "MS-SSIM of pairs of samples"}, ["neither higher nor lower is better"]),
        ({"best": "frechet", "every": 0}, ["set eval.every"]),
        ({"best": "frechet", "samples": False}, ["do not have it"]),
        ({"best": "frechet", "nets": []}, ["do not have it", "choose from ms_ssim, modes"]),
        ({"best": "", "patience": 2}, ["eval.patience=2: needs eval.best"]),
        ({"best": "frechet", "patience": -1}, ["expected 0 (never stop) or more"]),
    ],
)
def test_what_is_no_number_with_a_direction_is_refused(given, texts):
    with pytest.raises(InputError) as refused:
        parsed(**given)
    assert all(text in str(refused.value) for text in texts), refused.value


def test_the_first_number_with_a_direction_is_that_of_a_metric():
    rows = [row(0.1, "Nearest", None), row(0.2, "Precision (a)", "higher", "p"), row(0.3, "Recall (a)", "higher", "p")]
    assert Criterion("p").find(rows).value == 0.2
    assert Criterion("Recall").find(rows).value == 0.3
    assert Criterion("Rec").find(rows) is None


NAN = float("nan")


@pytest.mark.parametrize(
    ("better", "values", "steps"),
    [("lower", (3, 2, 2, 4, 1), [1, 2, 2, 2, 5]), ("higher", (3, 2, 3, NAN, 4), [1, 1, 1, 1, 5])],
)
def test_a_better_number_is_the_best_and_others_are_waited_through(better, values, steps):
    counters = Counters()
    found = []
    for step, value in enumerate(values, 1):
        line = judge(Criterion("frechet"), [row(value, better=better)], step, counters)
        assert bool(line) == (counters.best["step"] == step)
        found.append((counters.best["step"], counters.waited))
    assert found == [(best, step - best) for step, best in enumerate(steps, 1)]
    assert gave_up(2, Counters(waited=2)).startswith("no number in 2 evaluations")


def test_only_comparable_numbers_are_compared():
    counters = Counters()
    judge(Criterion("frechet"), [row(1.0)], 1, counters)
    line = judge(Criterion("frechet"), [row(5.0, count=30)], 2, counters)
    assert counters.best["step"] == 2
    assert line == "step 2: the best so far, Fréchet distance (squeezenet) 5"


def test_an_evaluation_without_the_number_is_said_and_does_not_count():
    counters = Counters()
    assert judge(Criterion("frechet"), [row(1.0, metric="swd", label="swd")], 1, counters).startswith("warning: step 1")
    assert counters == Counters()


def test_a_run_gives_up_after_its_patience():
    counters = Counters(best={"step": 1000, "label": "FID", "value": 2.5}, waited=2)
    assert gave_up(0, counters) == gave_up(3, counters) == ""
    assert gave_up(2, counters) == (
        "FID has not improved in 2 evaluations (eval.patience=2); the best is 2.5 at step 1,000"
    )


def test_by_another_number_the_waiting_begins_again():
    best = {"step": 1, "label": "FID", "value": 2.5, "protocol": {"metric": "frechet"}}
    for name, waited in (("frechet", 2), ("FID", 2), ("swd", 0)):
        assert resumed(Counters(best=best, waited=2), Criterion(name)).waited == waited
    assert resumed(Counters(best=best, waited=2), None).waited == 2
