"""A step of Gatys' descent is PyTorch's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmarks import gatys
from genjax.nets.vgg import VGG


@pytest.mark.parametrize("layout", ["plain", "channels last"])
def test_losses_are_those_of_pytorch_step_by_step(layout):
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    content, image = (rng.uniform(0, 255, (1, 32, 32, 3)).astype(np.float32) for _ in range(2))
    variables = VGG(gatys.DEPTH, last=gatys.LAST).init(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
    ours, theirs = gatys.ours(variables, content, image), gatys.theirs(variables, content, image, layout)
    first, second = ([run(1) for _ in range(3)] for run in (ours, theirs))
    np.testing.assert_allclose(first, second, rtol=1e-3)
    assert first[2] < first[0]
