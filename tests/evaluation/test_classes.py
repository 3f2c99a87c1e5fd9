"""A path between latents of a net that is given classes stays within one."""

import jax
import jax.numpy as jnp
import numpy as np

from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.evaluation import metrics
from genjax.evaluation.case import Case
from genjax.evaluation.sources import samples_of


def test_a_perceptual_path_keeps_the_class_of_its_start(monkeypatch):
    def latents(state, seeds, truncation=None):
        return jnp.concatenate([jnp.stack([seeds, -seeds], 1) * 1.0, jax.nn.one_hot(seeds % 3, 3)], 1)

    decode = lambda state, z, ema=True: jnp.zeros((len(z), 8, 8, 1))  # noqa: E731
    task = Task(lambda key: None, (), {"latents": latents, "decode": decode, "sample": None}, 3)
    state = State(jnp.int32(0), {}, {}, {})
    seen = {}
    monkeypatch.setattr(metrics, "perceptual_distance", lambda: None)
    monkeypatch.setattr(
        metrics.metrics,
        "perceptual_path_length",
        lambda generate, distance, start, end, *, given, **_: seen.update(start=start, end=end, given=given) or 0.0,
    )
    samples = samples_of(task, state, (8, 8, 1), 8)
    _, settings = metrics.ppl(Case(samples, samples, None, [], task, state))
    np.testing.assert_array_equal(seen["start"], [[0, 0], [2, -2], [4, -4], [6, -6]])
    np.testing.assert_array_equal(seen["end"], [[1, -1], [3, -3], [5, -5], [7, -7]])
    np.testing.assert_array_equal(seen["given"].argmax(1), [0, 2, 1, 0])  # of the seeds 0, 2, 4, 6
    assert settings["class"] == "the start's"
