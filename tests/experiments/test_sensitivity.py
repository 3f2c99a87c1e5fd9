"""The study of metrics under damage: the damage has its strength, and the study finds known relations."""

import itertools
import json

import numpy as np
import pytest
from helpers import assert_refused_in_a_line

from experiments.metrics import sensitivity
from experiments.metrics.damage import blur, noise, of_classes
from experiments.metrics.figure import draw
from experiments.metrics.scores import MEASURES, Examples, follows, scores

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(60, 196, (20, 16, 16, 3)).astype(np.uint8)


def extract(images, size):
    """In place of a net: eight means per image, times the input size."""
    features = images.reshape(len(images), 8, -1).mean(2).astype(np.float32)
    return Examples(images, features * size, np.exp(features / 64) / np.exp(features / 64).sum(1, keepdims=True))


@pytest.fixture(scope="module")
def found():
    *_, last = sensitivity.study(sensitivity.SMOKE, extract)
    return last


@pytest.mark.parametrize("damage", [noise, blur])
def test_no_damage_changes_nothing_and_more_changes_more(damage):
    np.testing.assert_array_equal(damage(IMAGES, 0), IMAGES)
    far = [np.abs(damage(IMAGES, amount).astype(int) - IMAGES).mean() for amount in (0.5, 1, 2)]
    assert far[0] < far[1] < far[2]


def test_noise_has_its_strength_and_blur_keeps_the_mean_and_the_colors_apart():
    difference = noise(np.full((8, 32, 32, 1), 128, np.uint8), 16).astype(float) - 128
    assert difference.std() == pytest.approx(16, rel=0.03)
    assert abs(difference.mean()) < 1
    red = np.zeros((1, 16, 16, 3), np.uint8)
    red[:, 8, 8, 0] = 255
    soft = blur(red, 1)
    assert soft[..., 0].sum() == pytest.approx(255, abs=20)  # rounded pixel by pixel
    assert not soft[..., 1:].any()
    assert blur(IMAGES, 2).mean() == pytest.approx(IMAGES.mean(), rel=0.01)


def test_images_of_some_classes_are_as_many_none_twice_and_shared_evenly():
    labels = RNG.permutation(np.repeat(np.arange(5), 20))
    for classes in ([0, 1, 2, 3, 4], [4, 1, 3], [2]):
        chosen = of_classes(labels, np.array(classes), 20, seed=1)
        assert len(set(chosen)) == 20
        shares = np.bincount(labels[chosen], minlength=5)
        assert set(np.flatnonzero(shares)) == set(classes)
        assert np.ptp(shares[classes]) <= 1
    with pytest.raises(ValueError, match="larger sample"):
        of_classes(labels, np.array([2]), 21, seed=1)


def test_classes_are_dropped_one_after_the_other():
    labels = np.repeat(np.arange(10), 30)
    kept = [set(labels[sensitivity.few_classes(labels, left, 30, order=3)]) for left in range(10, 0, -1)]
    assert [len(classes) for classes in kept] == list(range(10, 0, -1))
    assert all(later < earlier for earlier, later in itertools.pairwise(kept))


def test_a_metric_follows_only_if_every_step_is_worse():
    assert follows([1, 2, 3], 1)
    assert follows([3, 2, 1], -1)
    assert not follows([1, 3, 2], 1)
    assert not follows([1, 1, 2], 1)


def test_what_does_not_follow_is_bold():
    rows = [{"data": "x", "damage": "blur"} | dict.fromkeys(MEASURES, value) for value in (1.0, 3.0, 2.0)]
    lines = sensitivity.summary(rows, sensitivity.followed(rows)).splitlines()
    assert lines[2] == "| Fréchet | **1 → 2** |"
    rows = rows[:2]
    assert sensitivity.summary(rows, sensitivity.followed(rows)).splitlines()[2] == "| Fréchet | 1 → 3 |"


def test_every_metric_is_in_the_table_of_measures():
    real, fake = extract(IMAGES, 1), extract(blur(IMAGES, 1), 1)
    by_metric = scores(real, fake, subset=10)
    assert list(by_metric) == list(MEASURES)
    assert np.isfinite(list(by_metric.values())).all()


def test_the_study_has_a_row_for_each_set_in_order(found):
    plan, kinds = sensitivity.SMOKE, {"noise", "blur", "classes", "count"}
    assert {damage for name, damage in sensitivity.kinds(found["rows"]) if name == "fashion_mnist_10k"} == kinds
    assert {damage for name, damage in sensitivity.kinds(found["rows"]) if name == "emoji_32"} == {"noise", "blur"}
    assert [row["amount"] for row in sensitivity.series(found["rows"], "emoji_32", "blur")] == [0, *plan.blur]
    assert all(np.isfinite(row[key]) for row in found["rows"] for key in MEASURES)
    assert found["follows"]["fashion_mnist_10k, noise"]["sliced_wasserstein"]
    assert found["follows"]["fashion_mnist_10k, classes"]["frechet"]
    assert found["sizes"]["spearman"] == 1  # features of the toy are proportional at both sizes
    assert found["sizes"]["in_another_order"] == 0
    assert json.loads(json.dumps(found)) == found


def test_pairs_that_two_sizes_order_otherwise_are_counted(monkeypatch):
    distances = iter([1.0, 2.0, 3.0, 1.0, 3.0, 2.0])
    monkeypatch.setattr(sensitivity, "frechet", lambda *_: next(distances))
    plan = sensitivity.Plan(single=10, noise=(4, 8), blur=(), classes=())
    sizes = sensitivity.two_sizes(plan, IMAGES[:10], IMAGES[10:], np.zeros(10, int), extract)
    assert sizes["sets"] == ["no damage", "noise 4", "noise 8"]
    assert sizes["frechet"] == {"64": [1, 2, 3], "128": [1, 3, 2]}
    assert (sizes["pairs"], sizes["in_another_order"]) == (3, 1)
    assert sizes["spearman"] == pytest.approx(0.5)


def test_bias_of_an_exact_power_is_found():
    powers = {"frechet": lambda n: 500 / n, "sliced_wasserstein": lambda n: 80 / n**0.5}
    rows = [
        {"damage": "count", "amount": n} | {key: power(n) for key, power in powers.items()} for n in (600, 1250, 5000)
    ]
    fits = sensitivity.bias(rows)
    assert fits["frechet"] == pytest.approx({"scale": 500, "power": 1, "times_count": 500})
    assert fits["sliced_wasserstein"] == pytest.approx({"scale": 80, "power": 0.5})


def test_tables_and_figure_show_every_set(found):
    text = sensitivity.as_text(found)
    assert text.count("| MS-SSIM of pairs |") == 1 + len(sensitivity.kinds(found["rows"]))
    assert "| noise, gray levels | 0 | 64 |" in text
    assert text.splitlines()[0] == (
        "|  | noise, emoji_32 | blur, emoji_32 | noise, fashion_mnist_10k | blur, fashion_mnist_10k | "
        "classes, fashion_mnist_10k |"
    )
    assert "reals against reals: frechet" in text
    width, height = draw(found["rows"]).size
    assert width >= 1000
    assert height >= 1000


def test_a_file_that_cannot_be_written_is_refused_in_a_line_before_anything_is_measured():
    assert_refused_in_a_line("experiments.metrics.sensitivity", ["--json=x.txt"], "ends in .json")
