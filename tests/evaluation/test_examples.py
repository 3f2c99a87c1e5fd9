"""Metrics of more examples than memory has place for: the same numbers, read in blocks."""

import dataclasses
import tracemalloc

import jax.numpy as jnp
import numpy as np
import pytest

from genjax.data.source import Source, in_memory
from genjax.engine.outputs import EVAL_BATCH
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.evaluation import examples, sample_metrics
from genjax.evaluation.context import EvalContext
from genjax.evaluation.evaluate import evaluate
from genjax.evaluation.registry import METRICS
from genjax.metrics import blocks, distances, similarity, wasserstein

rng = np.random.default_rng(0)
REAL, FAKE, HELD = (rng.integers(0, 256, (count, 20, 17, 3), np.uint8) for count in (70, 60, 50))
LABELS = rng.integers(0, 2, 50)
OUTPUTS = {
    "reconstruct": lambda state, x: x.astype(jnp.float32) * 0.9 + x.mean((1, 2, 3), keepdims=True) * 0.1,
    "classify": lambda state, x: jnp.stack([x[:, 0, 0, 0], x[:, 1, 1, 1]], 1).astype(jnp.float32),
    "log_weights": lambda state, x, draws=3: -x[:, 0, :3, 0].astype(jnp.float32),
}
NAMES = ("swd", "ms_ssim", "neighbors", "reconstruction", "accuracy", "likelihood")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def source(x, labels=None, reads=None):
    def read(indices):
        if reads is not None:
            reads.append(len(indices))
        return x[indices]

    return dataclasses.replace(in_memory("noise", "train", x, labels), read=read)


def numbers(reads=None):
    task = Task(lambda key: None, (), OUTPUTS)
    sources = source(FAKE, None, reads), source(REAL, None, reads), source(HELD, LABELS, reads)
    context = EvalContext(*sources, [], task, State(jnp.int32(0), {}, {}, {}))
    results = evaluate(context, [METRICS[name] for name in NAMES], warn=lambda _: None)
    return {label: number for result in results for label, number in result.numbers.items()}


@pytest.mark.heavy
def test_little_memory_gives_the_same_bits(monkeypatch, tmp_path):
    expected = numbers()
    monkeypatch.setattr(examples, "IN_MEMORY", 1)
    monkeypatch.setattr(examples, "BLOCK", 1)
    monkeypatch.setattr(blocks, "NUMBERS", 1)
    reads = []
    assert numbers(reads) == expected
    assert max(reads) == EVAL_BATCH
    assert not any((tmp_path / "genjax" / "examples").iterdir())


def test_blocks_of_pairs_and_tiles_give_the_same_bits(monkeypatch):
    from genjax import metrics

    x, y = FAKE[:9] / np.float32(255), REAL[:9] / np.float32(255)

    def measured():
        pairs = [getattr(metrics, name)(x, y) for name in ("bce", "mse", "psnr", "rounded_accuracy", "ssim")]
        return *pairs, metrics.ms_ssim_each(x, y), metrics.sliced_wasserstein(FAKE[:9], REAL[:9]).mean

    expected = measured()
    monkeypatch.setattr(similarity, "BLOCK", 2)
    monkeypatch.setattr(wasserstein, "BLOCK", 2)
    monkeypatch.setattr(blocks, "NUMBERS", 3000)
    for one, other in zip(measured(), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_distances_by_columns_agree_with_direct_ones(monkeypatch):
    x, y = (z.reshape(len(z), -1) for z in (FAKE, REAL))
    direct = np.sum((x[:, None].astype(np.float64) - y[None]) ** 2, 2)
    origin = distances.center(y)
    np.testing.assert_allclose(distances.pairwise_sq(x, y, origin), direct, rtol=1e-10)
    monkeypatch.setattr(distances, "COLUMNS", 100)
    np.testing.assert_allclose(distances.pairwise_sq(x, y, origin), direct, rtol=1e-10)
    np.testing.assert_array_equal(np.diag(distances.pairwise_sq(x, x, origin)), 0)


def test_examples_beyond_the_limit_are_on_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(examples, "IN_MEMORY", REAL.nbytes - 1)
    indices = rng.permutation(len(REAL))
    on_disk = examples.gather(source(REAL), indices)
    assert isinstance(on_disk, np.memmap)
    np.testing.assert_array_equal(on_disk, REAL[indices])
    assert not any((tmp_path / "genjax" / "examples").iterdir())  # goes with the process
    assert not isinstance(examples.gather(source(REAL), indices[:-1]), np.memmap)


def test_a_full_disk_is_named(monkeypatch):
    def full(dir):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(examples, "IN_MEMORY", 1)
    monkeypatch.setattr(examples.tempfile, "TemporaryFile", full)
    with pytest.raises(InputError, match=r"70 examples of noise need 0.0 GiB in .*No space left.*--samples"):
        examples.gather(source(REAL), np.arange(70))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["swd", "ms_ssim", "neighbors", "reconstruction"])
def test_large_images_do_not_fill_the_memory(monkeypatch, name):
    """Each set is 57 MB in float64, of which a measure needs several copies; blocks need a fraction."""
    monkeypatch.setattr(examples, "IN_MEMORY", 2**20)
    monkeypatch.setattr(examples, "BLOCK", 2**20)
    monkeypatch.setattr(blocks, "NUMBERS", 2**17)
    monkeypatch.setattr(distances, "COLUMNS", 2**11)
    monkeypatch.setattr(sample_metrics, "PAIRS", 10)
    shape = (192, 192, 3)

    def read(indices):
        return np.stack([np.full(shape, 3 * int(i) % 256, np.uint8) for i in indices])

    large = Source("large", "train", 64, shape, np.dtype(np.uint8), read, None, (), "0" * 64)
    other = dataclasses.replace(large, read=lambda indices: read(indices + 1))
    task = Task(lambda key: None, (), {"reconstruct": OUTPUTS["reconstruct"]})
    context = EvalContext(large, other, other, [], task, State(jnp.int32(0), {}, {}, {}))
    monkeypatch.setattr("genjax.report.neighbors.draw", lambda *_: None)
    tracemalloc.start()
    evaluate(context, [METRICS[name]], warn=lambda _: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6, f"{peak / 1e6:.0f} MB"
