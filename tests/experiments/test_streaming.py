"""The benchmark of streaming, on a dozen images."""

import numpy as np
import pytest
from helpers import config_of

from experiments.benchmarks import streaming
from experiments.benchmarks.streaming import Kind, make, open_streamed
from genjax import data, tasks


@pytest.mark.parametrize("kind", [Kind("folder", (28, 28, 1), "png"), Kind("tfds", (48, 64, 3), "jpeg", "32")])
def test_data_are_streamed_and_the_same_as_if_held(kind, tmp_path):
    if kind.home == "tfds":
        pytest.importorskip("tensorflow_datasets")
    config = make(kind, tmp_path, 12)
    streamed, held = open_streamed(config), data.load(config)
    assert streamed.size == 12
    assert streamed.fingerprint != held.fingerprint  # of what is not held, names and sizes are hashed
    order = np.arange(12)[::-1]
    np.testing.assert_array_equal(streamed.read(order), held.read(order))
    speed, cpu = streaming.reading(streamed, 4, 0)
    assert speed > 0
    assert cpu > 0


def test_training_is_timed_held_and_streamed(tmp_path):
    kind = Kind("folder", (28, 28, 1), "png")
    source = open_streamed(make(kind, tmp_path, 12))
    trained = streaming.training(tasks.build(config_of("gan"), source.shape), {kind.name: source}, 0, 1)
    ((held, streamed),) = trained.values()
    assert min(held, streamed) > 0
    text = streaming.as_text({kind.name: (2 * held, 1e-4), "other": (held, 1e-4)}, trained)
    assert "folder, 28x28 gray png" in text
    assert f"the need: {held:,.0f} images/s" in text
