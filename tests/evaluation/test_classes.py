"""A path between latents of a net that is given classes stays within one."""

import jax
import jax.numpy as jnp
import numpy as np

from genjax import metrics
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.evaluation.context import EvalContext
from genjax.evaluation.run_metrics import ppl
from genjax.evaluation.sources import samples_of
from genjax.metrics import perceptual


def sample(state, seeds, truncation=None, ema=True):
    """Samples are not needed for a path."""


def test_a_perceptual_path_has_the_class_of_a_sample(monkeypatch):
    def latents(state, seeds, truncation=None):
        return jnp.concatenate([jnp.stack([seeds, -seeds], 1) * 1.0, jax.nn.one_hot(seeds % 3, 3)], 1)

    def decode(state, z, ema=True):
        return jnp.zeros((len(z), 8, 8, 1))

    task = Task(lambda key: None, (), {"latents": latents, "decode": decode, "sample": sample}, 3)
    state = State(jnp.int32(0), {}, {}, {})
    passed = {}

    def path_length(generate, distance, start, end, *, constant, **_):
        passed.update(start=start, end=end, constant=constant)
        return 0.0

    monkeypatch.setattr(perceptual, "perceptual_distance", lambda: None)
    monkeypatch.setattr(metrics, "perceptual_path_length", path_length)
    samples = samples_of(task, state, (8, 8, 1), 8)
    _, settings = ppl(EvalContext(samples, samples, None, [], task, state))
    np.testing.assert_array_equal(passed["start"], [[0, 0], [2, -2], [4, -4], [6, -6]])
    np.testing.assert_array_equal(passed["end"], [[1, -1], [3, -3], [5, -5], [7, -7]])
    np.testing.assert_array_equal(passed["constant"].argmax(1), [0, 1, 2, 0])  # of the samples 0, 1, 2, 3
    assert settings["class"] == "a sample's"


def test_a_perceptual_path_in_w_is_within_a_class(monkeypatch):
    """Both of its ends are w of one class, that of a sample; w itself has no class at its end."""

    def latents(state, seeds, truncation=None):
        return jnp.concatenate([jnp.stack([seeds, -seeds], 1) * 1.0, jax.nn.one_hot(seeds % 3, 3)], 1)

    def to_w(state, z, ema=True):
        return z * jnp.array([1, 1, 10, 10, 10])

    def synthesize(state, ws, ema=True, truncation=None, noise=None):
        return jnp.zeros((len(ws), 8, 8, 1))

    def decode(state, z, ema=True):
        return synthesize(state, z)

    outputs = {"latents": latents, "map": to_w, "synthesize": synthesize, "decode": decode, "sample": sample}
    task, state, passed = Task(lambda key: None, (), outputs, 3), State(jnp.int32(0), {}, {}, {}), []

    def path_length(generate, distance, start, end, *, constant, **_):
        passed.append((start, end, constant))
        return 0.0

    monkeypatch.setattr(perceptual, "perceptual_distance", lambda: None)
    monkeypatch.setattr(metrics, "perceptual_path_length", path_length)
    samples = samples_of(task, state, (8, 8, 1), 8)
    ppl(EvalContext(samples, samples, None, [], task, state))
    (z_start, z_end, label), (start, end, nothing) = passed
    assert nothing is None
    assert z_start.shape == (4, 2)
    np.testing.assert_array_equal(start, np.concatenate([z_start, 10 * label], 1))
    np.testing.assert_array_equal(end, np.concatenate([z_end, 10 * label], 1))


def test_a_perceptual_path_in_w_is_straight(monkeypatch):
    """Of images linear in w, and their squared difference: |B (w1 - w0)|^2, whatever the place on the path."""
    rng = np.random.default_rng(0)
    mapping, paint = rng.normal(size=(5, 4)), rng.normal(size=(4, 3))

    def latents(state, seeds, truncation=None):
        return jax.random.normal(jax.random.key(0), (99, 5))[seeds]

    def to_w(state, z, ema=True):
        return jnp.tanh(z @ mapping)

    def synthesize(state, ws, ema=True, truncation=None, noise=None):
        return (ws @ paint).reshape(-1, 1, 1, 3)

    def decode(state, z, ema=True):
        return synthesize(state, to_w(state, z))

    outputs = {"latents": latents, "map": to_w, "synthesize": synthesize, "decode": decode, "sample": sample}
    monkeypatch.setattr(perceptual, "perceptual_distance", lambda: lambda x, y: jnp.sum((x - y) ** 2, (1, 2, 3)))
    task, state = Task(lambda key: None, (), outputs), State(jnp.int32(0), {}, {}, {})
    samples = samples_of(task, state, (1, 1, 3), 2 * 12)
    values, settings = ppl(EvalContext(samples, samples, None, [], task, state))
    w = np.float64(to_w(state, latents(state, np.arange(24))))
    lengths = np.sort(np.sum(((w[1::2] - w[0::2]) @ paint) ** 2, 1))
    expected = lengths.mean()  # of twelve paths none is beyond the 1st and 99th percentile
    name = "Perceptual path length (SqueezeNet, seven maps; {}, full)"
    assert [value.label for value in values] == [name.format(space) for space in ("z", "w")]
    np.testing.assert_allclose(values[1].number, expected, rtol=0.02)  # differences of 1e-4 in float32
    assert settings["space"] == "z and w"
