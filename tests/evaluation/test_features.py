"""Cached features: complete, repaired, resumed, and the same for any number of devices and processes."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import eight_devices

from genjax.data.source import in_memory
from genjax.engine import distributed
from genjax.evaluation import features as cached
from genjax.evaluation.context import EvalContext
from genjax.evaluation.registry import METRICS
from genjax.metrics.features import FeatureNet

X = np.random.default_rng(0).integers(0, 256, (300, 5, 4, 1), np.uint8)
SOURCE = in_memory("noise", "train", X, None)


def look(weights, x):
    x = x.reshape(len(x), -1).astype(jnp.float32)
    return jnp.tanh(x @ weights / 255), jax.nn.softmax(x @ weights / 255)


WEIGHTS = np.random.default_rng(1).standard_normal((20, 6)).astype(np.float32)
NET = FeatureNet("toy", 6, "00", "none", look, WEIGHTS)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch, tmp_path):
    monkeypatch.setattr(cached, "SHARD", 128)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def looked(monkeypatch):
    """How many images nets look at from now on."""
    counts = []
    real = cached.extract

    def counted(net, images, **options):
        images = [counts.append(len(block)) or block for block in images]
        return real(net, images, **options)

    monkeypatch.setattr(cached, "extract", counted)
    return counts


def test_moments_and_features_are_those_of_all_images():
    store = cached.FeatureCache(NET, SOURCE, 300, probabilities=True, kind="reference")
    told = []
    store.fill(told.append)
    found = store.read()
    features, classes = (np.asarray(a) for a in look(WEIGHTS, X))
    np.testing.assert_allclose(found.features, features, atol=1e-6)
    np.testing.assert_allclose(found.probabilities, classes, atol=1e-6)
    np.testing.assert_allclose(found.moments.mean, found.features.mean(0, dtype=np.float64), rtol=1e-9)
    np.testing.assert_allclose(found.moments.cov, np.cov(found.features.astype(np.float64).T), rtol=1e-9, atol=1e-12)
    assert told == [64, 128, 192, 256, 300, 300]


def test_a_second_extraction_reads_the_cache_of_the_first(monkeypatch):
    counts = looked(monkeypatch)
    first = cached.FeatureCache(NET, SOURCE, 300, probabilities=False, kind="reference")
    first.fill()
    assert sum(counts) == 300
    second = cached.FeatureCache(NET, SOURCE, 300, probabilities=False, kind="reference")
    second.fill()
    assert sum(counts) == 300
    np.testing.assert_array_equal(first.read().features, second.read().features)


@pytest.mark.parametrize(
    "other",
    [
        {"net": replace(NET, sha256="01")},
        {"net": replace(NET, resize="by two")},
        {"net": replace(NET, name="toy 2")},
        {"source": in_memory("noise", "train", X[::-1], None)},
        {"probabilities": True},
    ],
)
def test_another_net_or_other_images_are_extracted_again(monkeypatch, other):
    same = {"net": NET, "source": SOURCE, "probabilities": False}
    cached.FeatureCache(**same, count=300, kind="reference").fill()
    counts = looked(monkeypatch)
    cached.FeatureCache(**same | other, count=300, kind="reference").fill()
    assert sum(counts) == 300


def test_a_stopped_extraction_resumes_and_ends_at_the_same_bits(monkeypatch):
    whole = cached.FeatureCache(NET, SOURCE, 300, probabilities=True, kind="whole")
    whole.fill()

    class Killed(BaseException):
        pass

    def stop(done):
        if done > 128:
            raise Killed

    store = cached.FeatureCache(NET, SOURCE, 300, probabilities=True, kind="samples")
    with pytest.raises(Killed):
        store.fill(stop)
    counts = looked(monkeypatch)
    store.fill()
    assert sum(counts) == 300 - 128
    for one, other in zip(store.read(), whole.read(), strict=True):
        jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * 900])
def test_a_damaged_file_is_extracted_again(monkeypatch, damage):
    store = cached.FeatureCache(NET, SOURCE, 300, probabilities=True, kind="reference")
    store.fill()
    before = store.read()
    path = sorted(store.folder.glob("*.npz"))[1]
    path.write_bytes(damage(path.read_bytes()))
    counts = looked(monkeypatch)
    store.fill()
    assert sum(counts) == 128
    np.testing.assert_array_equal(store.read().features, before.features)


def test_where_the_cache_cannot_be_written_features_are_extracted_and_kept_for_the_process(monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    store = cached.FeatureCache(NET, SOURCE, 300, probabilities=False, kind="reference")
    store.fill()
    assert len(store.read().features) == 300
    assert capsys.readouterr().err.startswith("warning: nothing is kept in /proc/none/genjax (")


def test_features_that_were_not_extracted_are_refused_by_name():
    context = EvalContext(SOURCE, SOURCE, None, [NET])
    with pytest.raises(RuntimeError, match="features of the samples by toy are not extracted: call extract_features"):
        context.features(NET, "samples")


def test_only_what_metrics_need_is_extracted():
    context = EvalContext(SOURCE, SOURCE, None, [NET])
    context.extract_features([METRICS["swd"]])
    assert not context._caches
    context.extract_features([METRICS["inception_score"]])
    assert list(context._caches) == [(NET.name, "samples")]
    assert context.features(NET, "samples").probabilities.shape == (300, 6)


def test_samples_are_forgotten_and_the_reference_is_not():
    context = EvalContext(SOURCE, SOURCE, None, [NET])
    context.extract_features([METRICS["frechet"]])
    folders = {name: context._caches[NET.name, name].folder for name in ("samples", "reference")}
    context.forget_samples()
    assert not folders["samples"].exists()
    assert folders["reference"].exists()


def _features_of_eight_devices(folder):
    import os

    os.environ["XDG_CACHE_HOME"] = folder
    cached.SHARD = 128
    store = cached.FeatureCache(NET, SOURCE, 300, probabilities=False, kind="reference")
    store.fill()
    return len(jax.local_devices()), store.read().features


def test_eight_devices_give_the_same_bits_as_one(tmp_path):
    store = cached.FeatureCache(NET, SOURCE, 300, probabilities=False, kind="reference")
    store.fill()
    with eight_devices() as there:
        devices, features = there(_features_of_eight_devices, str(tmp_path / "eight"))
    assert devices == 8
    np.testing.assert_array_equal(features, store.read().features)


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_blocks_of_processes_are_gathered_in_order(monkeypatch, processes):
    """300 rows in blocks of 64, dealt out as `FeatureCache` does."""
    rows = np.arange(300.0)[:, None]
    blocks = np.split(rows, range(64, 300, 64))
    by_process = [np.concatenate(blocks[i::processes]) for i in range(processes)]
    monkeypatch.setattr(cached, "all_gather_array", lambda own: by_process)
    np.testing.assert_array_equal(cached._all_gather_blocks(by_process[0], 64), rows)


def test_arrays_are_gathered_to_the_bit():
    x = np.float64([[1 / 3, 1e-300]])
    assert distributed.all_gather_array(x)[0] is x
