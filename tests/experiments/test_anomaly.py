"""The area under the ROC curve by its closed forms, and against scikit-learn where there is one."""

import numpy as np
import pytest
from helpers import run

from experiments import anomaly

rng = np.random.default_rng(0)


def test_the_area_is_the_share_of_pairs_in_order_ties_by_half():
    assert anomaly.auc([1, 2], [3, 4]) == 1
    assert anomaly.auc([3, 4], [1, 2]) == 0
    assert anomaly.auc([1, 1], [1, 1]) == 0.5
    assert anomaly.auc([1, 2, 3], [2, 4]) == (1.5 + 3) / 6
    normal, others = rng.integers(0, 9, 70), rng.integers(3, 12, 50)
    pairs = (others[:, None] > normal).mean() + (others[:, None] == normal).mean() / 2
    assert anomaly.auc(normal, others) == pytest.approx(pairs)


def test_the_curve_goes_from_zero_to_one_and_has_that_area_beneath():
    normal, others = rng.integers(0, 9, 70), rng.integers(3, 12, 50)
    false, true = anomaly.roc(normal, others)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (np.diff(false) >= 0).all()
    assert (np.diff(true) >= 0).all()
    assert np.trapezoid(true, false) == pytest.approx(anomaly.auc(normal, others))


def test_scikit_learn_has_the_same_area_and_curve():
    metrics = pytest.importorskip("sklearn.metrics")
    normal, others = rng.integers(0, 30, 200), rng.integers(10, 40, 100)
    truth, scores = np.repeat([0, 1], (200, 100)), np.concatenate([normal, others])
    assert anomaly.auc(normal, others) == pytest.approx(metrics.roc_auc_score(truth, scores))
    false, true, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(anomaly.roc(normal, others), (false, true))


def test_the_table_and_the_figure_have_every_kind():
    x = np.zeros((9, 28, 28, 1), np.uint8)
    kinds = {"clothes": anomaly.Scored(x, np.arange(9.0)), "others": anomaly.Scored(x, np.arange(9.0) + 9)}
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in anomaly.as_text(kinds).splitlines()[2:]]
    assert rows == [["clothes", "9", "4.0000", "", ""], ["others", "9", "13.0000", "1.000", "100%"]]
    assert np.asarray(anomaly.draw(kinds)).std() > 0


@pytest.mark.parametrize("flag", ["--png=x.jpg: expected a .png", "--md=x.txt: expected a .md"])
def test_another_kind_of_file_is_refused_before_anything_is_trained(flag, tmp_path):
    run("experiments.anomaly", flag.split(":")[0], f"--workdir={tmp_path / 'run'}").assert_refused(flag)
    assert not (tmp_path / "run").exists()
