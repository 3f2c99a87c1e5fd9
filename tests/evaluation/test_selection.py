"""Examples that stand for a set: in its classes' shares, and whatever the order of its files."""

import jax.numpy as jnp
import numpy as np
import pytest

from genjax.data.source import in_memory
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.evaluation import features as cached
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.registry import METRICS
from genjax.evaluation.selection import REFERENCE, UNIFORM, labels_by_shares, ranks, seeds_of, select
from genjax.evaluation.sources import class_frequencies, classes_of, differing_forms, samples_of, take
from genjax.metrics.features import FeatureNet

STATE = State(jnp.int32(0), {}, {}, {})


@pytest.mark.parametrize("seed", range(20))
def test_shares_of_classes_are_exact_where_they_can_be_and_nearly_so_in_every_part(seed):
    rng = np.random.default_rng(seed)
    frequencies = rng.integers(0, 30, size=rng.integers(1, 12))
    frequencies[0] += 1
    total = frequencies.sum()
    labels = labels_by_shares(frequencies, 3 * total)
    counts = np.cumsum(labels[:, None] == np.arange(len(frequencies)), 0)
    np.testing.assert_array_equal(counts[total - 1 :: total], np.arange(1, 4)[:, None] * frequencies)
    expected = np.arange(1, 3 * total + 1)[:, None] * frequencies / total
    assert np.abs(counts - expected).max() < 1.25
    np.testing.assert_array_equal(labels_by_shares(frequencies, total), labels[:total])


def test_equal_shares_are_the_seeds_in_turn():
    labels = labels_by_shares(np.array([4, 4, 4]), 10)
    np.testing.assert_array_equal(labels, np.arange(10) % 3)
    np.testing.assert_array_equal(seeds_of(labels, 3), np.arange(10))


def test_a_class_has_its_own_first_seeds():
    labels = labels_by_shares(np.array([7, 0, 2]), 90)
    seeds = seeds_of(labels, 3)
    np.testing.assert_array_equal(seeds % 3, labels)
    np.testing.assert_array_equal(seeds[labels == 0], 3 * np.arange(70))
    np.testing.assert_array_equal(seeds[labels == 2], 3 * np.arange(20) + 2)
    np.testing.assert_array_equal(ranks(np.array([5, 0, 5, 5, 0])), [0, 0, 1, 2, 1])


def conditional(classes=3):
    """A task whose example of a seed is the seed."""

    def sample(state, seeds, truncation=None, ema=True):
        return jnp.stack([seeds, seeds % classes], 1).astype(jnp.float32)

    return Task(lambda key: None, (), {"sample": sample}, classes)


def test_samples_have_the_classes_that_their_labels_say():
    law = in_memory("uneven", "train", np.zeros((10, 2), np.float32), np.array([0, 0, 0, 0, 0, 0, 2, 2, 2, 1]), "abc")
    drawn, frequencies = classes_of(conditional(), law, "abc", REFERENCE)
    assert drawn == {"classes": REFERENCE}
    samples = samples_of(conditional(), STATE, (2,), 50, "abc", frequencies)
    np.testing.assert_array_equal(np.bincount(samples.labels), [30, 5, 15])
    x = samples.read(np.arange(50)[::-1])
    np.testing.assert_array_equal(x[:, 1], samples.labels[::-1])
    assert len(np.unique(x[:, 0])) == 50
    uniform = samples_of(conditional(), STATE, (2,), 50, "abc")
    np.testing.assert_array_equal(uniform.read(np.arange(50))[:, 0], np.arange(50))
    assert uniform.fingerprint != samples.fingerprint  # of cached features


def test_frequencies_go_by_the_names_of_classes():
    x, labels = np.zeros((4, 2), np.float32), np.array([0, 1, 1, 1])
    of = lambda names: class_frequencies(in_memory("", "", x, labels, names), 2, ("a", "b"))  # noqa: E731
    np.testing.assert_array_equal(of("ab"), [1, 3])
    np.testing.assert_array_equal(of("ba"), [3, 1])
    assert of("ac") is None
    assert class_frequencies(in_memory("", "", x, None), 2) is None
    assert class_frequencies(in_memory("", "", x, labels), 1) is None
    assert classes_of(conditional(2), in_memory("", "", x, None), "ab", REFERENCE) == ({"classes": UNIFORM}, None)
    assert classes_of(conditional(0), in_memory("", "", x, labels), "", REFERENCE) == ({}, None)


def test_results_of_a_conditional_run_name_the_shares_and_the_reference():
    law = in_memory("uneven", "train", np.zeros((10, 2), np.float32), np.array([0] * 9 + [1]))
    protocols = []
    for shares in (REFERENCE, UNIFORM):
        drawn, frequencies = classes_of(conditional(2), law, (), shares)
        samples = samples_of(conditional(2), STATE, (2,), 20, (), frequencies)
        context = EvalContext(samples, law, None, [], conditional(2), STATE, drawn=drawn)
        (result,) = evaluate(context, [METRICS["neighbors"]], warn=lambda _: None)
        protocols.append(result.protocol)
    assert [protocol["samples"]["classes"] for protocol in protocols] == [REFERENCE, UNIFORM]


# -- whatever the order


def test_some_of_many_are_of_all_classes():
    chosen = select(1000, 100)
    assert (np.diff(chosen) > 0).all()
    assert np.bincount(chosen // 250, minlength=4).min() > 10  # as if sorted by four classes
    np.testing.assert_array_equal(select(5, 9), np.arange(5))


def test_a_part_of_a_source_carries_its_labels():
    labels = np.repeat([0, 1], 50)
    source = in_memory("", "", np.arange(100, dtype=np.float32)[:, None], labels)
    part = take(source, 20)
    np.testing.assert_array_equal(part.read(np.arange(20))[:, 0] >= 50, part.labels)
    assert part.labels.any()
    assert not part.labels.all()


def look(_, x):
    x = x.reshape(len(x), -1)[:, :4].astype(jnp.float32)
    return x, jnp.eye(4)[jnp.argmax(x, 1)] * 0.9 + 0.025


NET = FeatureNet("toy", 4, "00", "none", look, np.float32(0), classes=tuple("abcd"))


def test_an_inception_score_does_not_depend_on_the_order_of_files(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (400, 3, 3, 1), np.uint8)
    by_class = x[np.argsort(np.argmax(x.reshape(400, -1)[:, :4], 1))]
    scores = []
    for images in (x, by_class):
        source = in_memory("", "", images, None)
        (result,) = evaluate(EvalContext(source, source, None, [NET]), [METRICS["inception_score"]])
        scores.append(result.values[0][1:4])
        assert result.protocol["settings"] == {"splits": 10, "seed": 0}
    assert scores[0] == scores[1]


def test_features_in_memory_are_some_of_all(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cached, "MAX_IN_MEMORY", 50)
    monkeypatch.setattr(cached, "SHARD", 64)
    x = np.arange(200, dtype=np.uint8).reshape(200, 1, 1, 1).repeat(2, 1).repeat(2, 2)
    store = cached.FeatureCache(NET, in_memory("", "", x, None), 200, True, "reference")
    store.fill()
    kept = store.read()
    np.testing.assert_array_equal(kept.features[:, 0], select(200, 50))
    assert len(kept.probabilities) == 50
    assert kept.moments.count == 200


def test_a_choice_is_part_of_the_protocol():
    x = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 1), np.uint8)
    small, large = in_memory("", "", x[:10], None), in_memory("", "", x, None)
    for reference, chosen in ((large, True), (small, False)):
        (result,) = evaluate(EvalContext(small, reference, None, []), [METRICS["swd"]], warn=lambda _: None)
        assert ("chosen" in result.protocol["settings"]) == chosen


# -- forms


def test_two_ways_of_resizing_are_named():
    assert differing_forms("", "") == differing_forms("8x8 to 16x16, crop", "8x8 to 16x16, crop") == ""
    assert "samples: as stored; reference: 8x8 to 16x16, crop" in differing_forms("", "8x8 to 16x16, crop")
