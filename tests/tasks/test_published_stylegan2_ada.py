"""The settings of configs/stylegan2_ada.py against those that the authors' train.py prints with --dry-run.

The numbers are its options for a folder of images of each size; numbers of parameters are counted of its classes.
Source: arXiv:2006.06676 and its authors' PyTorch code.
"""

import jax
import pytest
from helpers import config_of

from genjax import tasks
from genjax.config import flat
from genjax.engine.loop import shapes

COMMON = {"penalty.interval": 16, "path_length.interval": 4, "ada.target": 0.6, "ada.kimg": 500.0, "ada.parts": "bgc"}
PUBLISHED = {
    # name: batch, group, learning rate, gamma, half-life, ramp, layers of the mapping, thousands of images
    "": (32, 4, 0.0025, 0.0064, 10_000, 0.05, 2, 25_000),
    "auto32x2": (64, 4, 0.0025, 0.0032, 20_000, 0.05, 2, 25_000),
    "auto256": (16, 4, 0.0025, 0.8192, 5_000, 0.05, 2, 25_000),
    "auto256x8": (64, 4, 0.0025, 0.2048, 20_000, 0.05, 2, 25_000),
    "auto512x4": (32, 4, 0.0025, 1.6384, 10_000, 0.05, 2, 25_000),
    "auto1024": (4, 4, 0.002, 52.4288, 1_250, 0.05, 2, 25_000),
    "paper256": (64, 8, 0.0025, 1.0, 20_000, None, 8, 25_000),
    "paper512": (64, 8, 0.0025, 0.5, 20_000, None, 8, 25_000),
    "paper1024": (32, 4, 0.002, 2.0, 10_000, None, 8, 25_000),
    "cifar": (64, 32, 0.0025, 0.01, 500_000, 0.05, 2, 100_000),
}
PARAMETERS = {
    # name: pixels, generator, critic
    "auto256": (256, 23_191_522, 24_001_089),
    "paper256": (256, 24_767_458, 24_001_089),
    "paper512": (512, 30_276_583, 28_982_849),
    "paper1024": (1024, 30_370_060, 29_012_513),
    "cifar": (32, 19_947_539, 20_720_641),
    "cifar_conditional": (32, 20_215_315, 23_089_664),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_setting_is_the_authors(name):
    c = config_of("stylegan2_ada", name)
    batch, group, rate, gamma, half_life, ramp, layers, kimg = PUBLISHED[name]
    assert (c.batch, c.critic.minibatch_group, c.generator.layers) == (batch, group, layers)
    assert c.penalty.r1 == pytest.approx(gamma)
    assert {net.learning_rate for net in c.optimizer.values()} == {rate}
    assert {(net.b1, net.b2, net.epsilon) for net in c.optimizer.values()} == {(0.0, 0.99, 1e-8)}
    assert (c.ema.half_life, c.ema.ramp) == (half_life, ramp or float("inf"))
    assert 0 <= kimg * 1000 - c.steps * c.batch < c.batch
    assert (c.path_length.weight, c.generator.get("mixing", 0.9)) == ((0.0, 0.0) if name == "cifar" else (2.0, 0.9))
    assert {c.generator.conv_clamp, c.critic.conv_clamp} == {256.0}
    assert {key: flat(c)[key] for key in COMMON} == COMMON


@pytest.mark.heavy
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_setting_has_as_many_parameters_as_the_authors_nets(name):
    side, *expected = PARAMETERS[name]
    nets = shapes(tasks.build(config_of("stylegan2_ada", name), (side, side, 3))).nets
    assert [sum(a.size for a in jax.tree.leaves(nets[net].params)) for net in ("generator", "critic")] == expected
