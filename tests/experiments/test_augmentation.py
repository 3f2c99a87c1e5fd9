"""The arms of the study by hand, its gains, and the study as a command."""

import json

import numpy as np
import pytest
from helpers import Program, run

from experiments import augmentation
from genjax.data import in_memory
from genjax.errors import InputError

rng = np.random.default_rng(0)
X = rng.integers(0, 256, (4, 6, 6, 1), np.uint8)


def test_images_are_moved_and_mirrored():
    moved = augmentation.augmented(X)
    assert moved.shape == (2 * 25 * 4, 6, 6, 1)
    blocks = moved.reshape(2, 5, 5, 4, 6, 6, 1)
    np.testing.assert_array_equal(blocks[0, 2, 2], X)  # not moved
    np.testing.assert_array_equal(blocks[1], blocks[0][..., ::-1, :])
    np.testing.assert_array_equal(blocks[0, 0, 3, :, 2:, :5], X[:, :4, 1:])  # two down, one to the left
    assert not blocks[0, 0, 3, :, :2].any()
    assert len({image.tobytes() for image in moved}) == len(moved)


@pytest.mark.parametrize("count", [20, 4])
def test_half_of_the_images_are_samples_and_labels_stay_with_their_images(count):
    few = in_memory("x", "train", X, np.array([0, 1, 2, 3]), "abcd")
    fakes, labels = rng.integers(0, 256, (count, 6, 6, 1), np.uint8), np.arange(count) % 4
    known = {image.tobytes(): label for image, label in zip(X, few.labels, strict=True)}
    alone, moved, with_samples, both = augmentation.arms(few, fakes, labels, seed=0)
    np.testing.assert_array_equal(alone[0], X)
    assert len(moved[0]) == len(moved[1]) == 200
    for x, label in (with_samples, both):
        assert len(x) == len(label) == 2 * count
        np.testing.assert_array_equal(x[count:], fakes)
        np.testing.assert_array_equal(label[count:], labels)
    for image, label in zip(*(part[:count] for part in with_samples), strict=True):
        assert known[image.tobytes()] == label
    assert {image.tobytes() for image in with_samples[0][:count]} == set(known)  # each is there
    known = {image.tobytes(): label for image, label in zip(*moved, strict=True)}
    assert all(known[x.tobytes()] == y for x, y in zip(both[0][:count], both[1][:count], strict=True))


def test_labeled_images_are_as_many_of_each_class_and_the_seeds():
    few = augmentation.labeled(3, seed=1)
    np.testing.assert_array_equal(np.bincount(few.labels), [3] * 10)
    assert augmentation.labeled(3, seed=1).fingerprint == few.fingerprint
    assert augmentation.labeled(3, seed=2).fingerprint != few.fingerprint


def test_gains_are_seed_by_seed(tmp_path):
    first, second, third, fourth = augmentation.ARMS
    cells = [
        {"labels": 10, "seed": s, "accuracy": {first: base, second: base + 0.1, third: base + s / 10, fourth: base}}
        for s, base in enumerate((0.5, 0.7))
    ]
    (row,) = augmentation.summary(cells)
    assert row["gain"][second] == pytest.approx((0.1, 0))
    assert row["gain"][third][0] == pytest.approx(0.05)
    augmentation.write(tmp_path, cells)
    assert "| 10 | 2 | 0.600 ± 1.271 | 0.100 ± 0.000 |" in (tmp_path / "results.md").read_text()
    assert (tmp_path / "augmentation.png").exists()


def test_a_finished_cell_is_not_trained_again_nor_mistaken(tmp_path, monkeypatch):
    calls = []

    def measured(settings, count, seed):
        calls.append(seed)
        return dict.fromkeys(augmentation.ARMS, 0.5), np.zeros((20, 8, 8, 1), np.uint8), ["a", "b"]

    monkeypatch.setattr(augmentation, "measure", measured)
    first = augmentation.finished(tmp_path / "x", {"steps": 1}, 10, 0)
    assert augmentation.finished(tmp_path / "x", {"steps": 1}, 10, 0) == first
    assert calls == [0]
    with pytest.raises(InputError, match="other settings"):
        augmentation.finished(tmp_path / "x", {"steps": 2}, 10, 0)


@pytest.mark.slow
def test_the_study_as_typed(tmp_path):
    flags = "--labels=2", "--seeds=2", "--steps=3", "--gan_steps=2", "--samples=10"
    nets = "--classifier=classifier:smoke", "--gan=cgan:smoke"
    done = Program("experiments.augmentation", f"--workdir={tmp_path}", *flags, *nets).wait(600)
    assert done.code == 0, done.err
    cells = json.loads((tmp_path / "results.json").read_text())["cells"]
    assert [(cell["labels"], cell["seed"]) for cell in cells] == [(2, 0), (2, 1)]


@pytest.mark.parametrize("labels", ["0", "x", "501"])
def test_other_numbers_of_labels_are_refused(labels, tmp_path):
    run("experiments.augmentation", f"--workdir={tmp_path / 'x'}", f"--labels={labels}").assert_refused("--labels=")
    assert not (tmp_path / "x").exists()
