"""The curve and the weights do not depend on the number of devices, and what devices send each other is no batch."""

from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of, eight_devices, with_remedies

from experiments.scaling.collectives import collectives, compile_step
from experiments.scaling.drift import CONFIGS, distances, tiny, train
from genjax import tasks
from genjax.engine import loop
from genjax.engine.mesh import make_mesh, replicated, sharded
from genjax.ops.conv import geometry as geometry_of
from genjax.ops.cpu import phases
from genjax.ops.cpu.convolution import C, T, W


@pytest.fixture(scope="module")
def eight():
    with eight_devices() as call:
        yield call


def short(name, activation=""):
    """The config of the study with fewer steps."""
    config = tiny(name, activation)
    config.steps = 20
    return config


@pytest.mark.parametrize(
    "config", [pytest.param(name, marks=pytest.mark.slow) if name != "gan" else name for name in CONFIGS]
)
def test_any_number_of_devices_gives_one_curve(config, eight):
    """In float64, where rounding cannot hide another arithmetic: `experiments.scaling.drift` saw at most 2e-14."""
    one = eight(train, short(config), 1, "float64")
    for name, distance in distances(eight(train, short(config), 4, "float64"), one).items():
        assert distance < 1e-11, name


@pytest.mark.parametrize(
    "config", [name if name == "gan" else pytest.param(name, marks=pytest.mark.slow) for name in CONFIGS]
)
def test_any_number_of_devices_gives_one_curve_in_float32(config, eight):
    """With a smooth activation: at the kink of another one, rounding now and then decides between two slopes.

    `experiments.scaling.drift` saw curves at most 7e-7 apart, and of the state a bias near zero at most 1e-5.
    """
    curves, state = eight(train, short(config, "tanh"), 1, "float32")
    other_curves, other_state = eight(train, short(config, "tanh"), 4, "float32")
    assert max(distances(other_curves, curves).values()) < 1e-5
    assert max(distances(other_state, state).values()) < 5e-5


@pytest.mark.slow
def test_few_labeled_examples_are_the_same_on_two_devices(eight):
    """20 labels in batches of 8: an epoch ends within a batch, which two devices share."""
    config = config_of("pretrain_classifier", labels=20, steps=20)
    one, two = (eight(train, config, count, "float64")[0] for count in (1, 2))
    assert {name.partition("/")[0] for name in one} == {"pretrain", "classifier", "scratch"}
    assert len(one["scratch/loss"]) == 20
    assert max(distances(two, one).values()) < 1e-11
    config.labels = 0
    assert distances(eight(train, config, 2, "float64")[0], one)["['scratch/loss']"] > 1e-3  # the few are seen alone


def test_all_remedies_at_once_give_one_curve_on_two_devices(eight):
    """Noise and augmentation are of examples, the ring is whole everywhere: only the order of sums differs."""
    config = with_remedies(steps=6, data__split="train[:64]", critic_steps=2)
    one, two = (eight(train, config, count, "float64") for count in (1, 2))
    for name, distance in distances(two, one).items():
        assert distance < 1e-11, name


def test_a_batch_in_parts_gives_one_curve_on_two_devices(eight):
    """Every device has as much of each part."""
    config = tiny("gan")
    config.update(grad_accum_steps=2, steps=4)
    config.penalty.r1 = 0.1
    one, two = (eight(train, config, count, "float64") for count in (1, 2))
    for name, distance in distances(two, one).items():
        assert distance < 1e-11, name


@pytest.mark.slow
def test_a_net_that_grows_gives_one_curve_on_two_devices(eight):
    """Through all phases, groups of the minibatch's standard deviation lying across devices."""
    config = config_of("progan", data__split="train[:64]", steps=2, growth__batches=(4, 8))
    one, two = (eight(train, config, count, "float64") for count in (1, 2))
    for name, distance in distances(two, one).items():
        assert distance < 1e-11, name


@pytest.mark.slow
def test_a_stylegan2_gives_one_curve_on_two_devices(eight):
    """Noise, mixing and augmentation are of examples; path lengths and the average w, in float32, are over all."""
    config = config_of("stylegan2", data__split="train[:64]", steps=2, ada__interval=1, ada__kimg=0.02)
    config.generator.layers = 2
    one, two = (eight(train, config, count, "float64") for count in (1, 2))
    for name, distance in distances(two, one).items():
        assert distance < (1e-6 if "w_avg" in name else 1e-9), name


@pytest.mark.parametrize(
    "geometry", [((8, 8), (5, 5), (2, 2), "SAME", (1, 1)), ((9, 7), (3, 4), (1, 2), "VALID", (2, 1))]
)
def test_convolutions_cut_along_the_batch_are_the_whole_ones(geometry, eight):
    """Values, first and second derivatives; only what sums over the batch is sent."""
    one, _ = eight(convolutions, geometry, 1)
    four, sent = eight(convolutions, geometry, 4)
    assert one.keys() == four.keys()
    for name, values in one.items():
        for a, b in zip(four[name], values, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12, err_msg=name)
    assert sent == {"C": set(), "T": set(), "W": {"all-reduce"}}


def convolutions(case, count):
    """Values, gradients and gradients of gradients of C, T, W with the batch cut, and what their values send."""
    size, kernel, *rest = case
    mesh, rng = make_mesh(jax.devices()[:count]), np.random.default_rng(0)
    with jax.enable_x64(True), jax.set_mesh(mesh):
        w = jax.device_put(rng.normal(size=(*kernel, 2, 3)), replicated(mesh))
        g = geometry_of(size, w, *rest)
        x = jax.device_put(rng.normal(size=(8, *size, 2)), sharded(mesh, 0))
        y = jax.device_put(rng.normal(size=(8, *g.out_size, 3)), sharded(mesh, 0))
        results, sent = {}, {}
        for name, f, a, b in (("C", C, x, w), ("T", T, y, w), ("W", W, x, y)):

            def slope(a, b, f=f):
                return jax.grad(lambda a, b: jnp.sum(jnp.tanh(f(g, a, b))), (0, 1))(a, b)

            def curvature(a, b, slope=slope):
                return jax.grad(lambda a, b: sum(jnp.sum(jnp.sin(s)) for s in slope(a, b)), (0, 1))(a, b)

            value = jax.jit(lambda a, b, f=f: f(g, a, b))
            results[name] = [value(a, b), *jax.jit(slope)(a, b), *jax.jit(curvature)(a, b)]
            sent[name] = {c.kind for c in collectives(value.lower(a, b).compile().as_text())}
        return jax.device_get(results), sent


def test_a_step_sends_gradients_and_statistics_but_no_examples(eight):
    """Everything sent is a sum over the batch: in the size of a parameter, a statistic or a metric."""
    sent, sizes = eight(sent_by_dcgan)
    assert {c.kind for c in sent} == {"all-reduce"}
    assert {n for c in sent for n in c.sizes} <= sizes | {1}


def sent_by_dcgan():
    """What a step of the DCGAN sends on four devices, and the sizes of its parameters and statistics."""
    config = config_of("dcgan")
    task = tasks.build(config, (28, 28, 1))
    nets = loop.shapes(task).nets.values()
    sizes = {leaf.size for net in nets for leaf in jax.tree.leaves((net.params, net.stats))}
    with mock.patch.object(phases, "LARGE", 0):  # every transposed convolution with a stride counts as large
        hlo = compile_step(task, (28, 28, 1), make_mesh(jax.devices()[:4]))
    return collectives(hlo), sizes
