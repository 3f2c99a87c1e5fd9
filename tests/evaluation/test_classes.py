"""A path between latents of a net that is given classes stays within one."""

import jax
import jax.numpy as jnp
import numpy as np

from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.evaluation import registry
from genjax.evaluation.context import EvalContext
from genjax.evaluation.sources import samples_of


def test_a_perceptual_path_keeps_the_class_of_its_start(monkeypatch):
    def latents(state, seeds, truncation=None):
        return jnp.concatenate([jnp.stack([seeds, -seeds], 1) * 1.0, jax.nn.one_hot(seeds % 3, 3)], 1)

    decode = lambda state, z, ema=True: jnp.zeros((len(z), 8, 8, 1))  # noqa: E731
    task = Task(lambda key: None, (), {"latents": latents, "decode": decode, "sample": None}, 3)
    state = State(jnp.int32(0), {}, {}, {})
    seen = {}
    monkeypatch.setattr(registry, "perceptual_distance", lambda: None)
    monkeypatch.setattr(
        registry.metrics,
        "perceptual_path_length",
        lambda generate, distance, start, end, *, constant, **_: seen.update(start=start, end=end, given=constant) or 0,
    )
    samples = samples_of(task, state, (8, 8, 1), 8)
    _, settings = registry.ppl(EvalContext(samples, samples, None, [], task, state))
    np.testing.assert_array_equal(seen["start"], [[0, 0], [2, -2], [4, -4], [6, -6]])
    np.testing.assert_array_equal(seen["end"], [[1, -1], [3, -3], [5, -5], [7, -7]])
    np.testing.assert_array_equal(seen["given"].argmax(1), [0, 2, 1, 0])  # of the seeds 0, 2, 4, 6
    assert settings["class"] == "the start's"


def test_a_perceptual_path_in_w_is_straight(monkeypatch):
    """Of images linear in w, and their squared difference: |B (w1 - w0)|^2, whatever the place on the path."""
    rng = np.random.default_rng(0)
    mapping, paint = rng.normal(size=(5, 4)), rng.normal(size=(4, 3))
    latents = lambda state, seeds, truncation=None: jax.random.normal(jax.random.key(0), (99, 5))[seeds]  # noqa: E731
    to_w = lambda state, z, ema=True: jnp.tanh(z @ mapping)  # noqa: E731
    images = lambda state, w, ema=True, truncation=None: (w @ paint).reshape(-1, 1, 1, 3)  # noqa: E731
    decode = lambda state, z, ema=True: images(state, to_w(state, z))  # noqa: E731
    outputs = {"latents": latents, "map": to_w, "synthesize": images, "decode": decode, "sample": None}
    monkeypatch.setattr(registry, "perceptual_distance", lambda: lambda x, y: jnp.sum((x - y) ** 2, (1, 2, 3)))
    task, state = Task(lambda key: None, (), outputs), State(jnp.int32(0), {}, {}, {})
    samples = samples_of(task, state, (1, 1, 3), 2 * 12)
    values, settings = registry.ppl(EvalContext(samples, samples, None, [], task, state))
    w = np.float64(to_w(state, latents(state, np.arange(24))))
    lengths = np.sort(np.sum(((w[1::2] - w[0::2]) @ paint) ** 2, 1))
    expected = lengths.mean()  # of twelve paths none is beyond the 1st and 99th percentile
    name = "Perceptual path length (SqueezeNet, seven maps; {}, full)"
    assert list(values) == [name.format(space) for space in ("z", "w")]
    np.testing.assert_allclose(values[name.format("w")], expected, rtol=0.02)  # differences of 1e-4 in float32
    assert settings["space"] == "z and w"
