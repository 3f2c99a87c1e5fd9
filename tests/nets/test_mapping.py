"""The mapping against NumPy, the average of w, truncation, and whose style is in which layer."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy_nets
import pytest
from helpers import call

from genjax.nets.mapping import Mapping, broadcast, mix
from genjax.ops import noise

Z = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
NET = Mapping(width=4, depth=3)
VARIABLES = call(NET.init, jax.random.key(0), Z)
KEY = jax.random.key(1)


def in_training(z, variables=VARIABLES, layers=6, used=6, mixing=0.0):
    method = lambda m, z: m.styles_in_training(z, KEY, layers, used, mixing)  # noqa: E731
    return call(NET.apply, variables, z, method=method, mutable=["average"])


@pytest.mark.heavy
@pytest.mark.parametrize("gain", [1.0, np.sqrt(2)])
def test_the_mapping_is_the_papers(gain):
    with jax.enable_x64(True):
        net, z = Mapping(width=7, depth=8, gain=float(gain)), np.float64(Z)
        variables, params = numpy_nets.of(call(net.init, jax.random.key(0), z), np.random.default_rng(1))
        np.testing.assert_allclose(call(net.apply, variables, z), numpy_nets.mapping(params, z, gain), rtol=1e-11)


ONEHOT = np.eye(3)[[2, 0, 1, 1, 2, 0]]


def test_a_class_is_embedded_and_normalized_together_with_the_latents_as_in_stylegans_code():
    """A row of the matrix for each class, as long as w."""
    with jax.enable_x64(True):
        net, z = Mapping(width=7, depth=2), np.float64(Z)
        variables, params = numpy_nets.drawn(net, z, ONEHOT)
        joined = np.concatenate([z, params["embed"]["kernel"][ONEHOT.argmax(1)]], 1)
        expected = numpy_nets.mapping_of_normed(params, numpy_nets.normed(joined))
        np.testing.assert_allclose(call(net.apply, variables, z, ONEHOT), expected, rtol=1e-11)


def numpy_embedded(params, onehot):
    """The code of arXiv:2006.06676: a row over the root of the number of classes, and biases; normalized alone."""
    rows = params["embed"]["kernel"][onehot.argmax(1)] / np.sqrt(onehot.shape[1]) + params["embed"]["bias"]
    return numpy_nets.normed(rows)


def test_a_class_is_embedded_and_normalized_alone_as_in_stylegan2s_code():
    with jax.enable_x64(True):
        net, z = Mapping(width=7, depth=2, gain=2**0.5, embedding="separate"), np.float64(Z)
        variables, params = numpy_nets.drawn(net, z, ONEHOT)
        joined = np.concatenate([numpy_nets.normed(z), numpy_embedded(params, ONEHOT)], 1)
        expected = numpy_nets.mapping_of_normed(params, joined, np.sqrt(2))
        np.testing.assert_allclose(call(net.apply, variables, z, ONEHOT), expected, rtol=1e-11)


def test_a_mapping_of_classes_alone_has_no_average():
    with jax.enable_x64(True):
        net = Mapping(width=7, depth=2, gain=2**0.5, embedding="separate", average=False)
        variables, params = numpy_nets.drawn(net, None, ONEHOT)
        assert list(variables) == ["params"]
        expected = numpy_nets.mapping_of_normed(params, numpy_embedded(params, ONEHOT), np.sqrt(2))
        np.testing.assert_allclose(call(net.apply, variables, None, ONEHOT), expected, rtol=1e-11)


def test_styles_are_mixed_within_a_class_and_the_average_is_over_all():
    """Of a mapping to which latents do not matter, all layers have the w of the example's own class."""
    net = NET.clone(embedding="separate")
    variables, params = numpy_nets.drawn(net, Z, ONEHOT, dtype=np.float32)
    params["dense_0"]["kernel"][:5] = 0
    variables = jax.tree.map(lambda a: 100 * a, variables)
    method = lambda m, z: m.styles_in_training(z, KEY, 6, 6, 1.0, ONEHOT)  # noqa: E731
    ws, moved = call(net.apply, variables, Z, method=method, mutable=["average"])
    w = np.asarray(call(net.apply, variables, -Z, ONEHOT))
    np.testing.assert_allclose(ws, np.repeat(w[:, None], 6, 1), rtol=1e-5, atol=1e-5)
    assert np.abs(w[0] - w[1]).max() > 0.1
    np.testing.assert_allclose(moved["average"]["w_avg"], 0.005 * w.mean(0), rtol=1e-4)


def test_the_two_papers_mappings_are_one_when_biases_are_zero():
    other = Mapping(width=4, depth=3, gain=2**0.5)
    np.testing.assert_allclose(call(other.apply, VARIABLES, Z), call(NET.apply, VARIABLES, Z), rtol=1e-5)


def test_the_length_of_z_does_not_matter():
    np.testing.assert_allclose(call(NET.apply, VARIABLES, 3 * Z), call(NET.apply, VARIABLES, Z), rtol=1e-5)


@pytest.mark.heavy
def test_the_average_moves_in_training_towards_the_batchs_mean():
    w = np.float64(call(NET.apply, VARIABLES, Z))
    assert (VARIABLES["average"]["w_avg"] == 0).all()
    expected, variables = np.zeros(4), VARIABLES
    for _ in range(3):
        expected = 0.995 * expected + 0.005 * w.mean(0)
        _, moved = in_training(Z, variables, mixing=0.9)  # the other latents do not count
        variables = {**variables, **moved}
    assert moved["average"]["w_avg"].dtype == jnp.float32
    np.testing.assert_allclose(moved["average"]["w_avg"], expected, rtol=1e-4)


def test_truncation_is_the_papers_and_exact_at_its_ends():
    average = jnp.asarray([0.3, -1.0, 2.0, 0.1])
    ws = jax.random.normal(KEY, (2, 6, 4))
    variables = {**VARIABLES, "average": {"w_avg": average}}
    truncate = lambda *args: np.asarray(call(NET.apply, variables, ws, *args, method="truncate"))  # noqa: E731
    np.testing.assert_array_equal(truncate(1.0), ws)
    np.testing.assert_array_equal(truncate(0.0), np.broadcast_to(average, ws.shape))
    np.testing.assert_allclose(truncate(0.7), average + 0.7 * (ws - average), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(truncate(0.7, 2)[:, :2], truncate(0.7)[:, :2])
    np.testing.assert_array_equal(truncate(0.7, 2)[:, 2:], ws[:, 2:])


def test_mixed_styles_are_one_latents_and_then_anothers():
    ws, _ = in_training(Z, mixing=1.0, used=4)
    others = noise.normal(jax.random.split(KEY)[0], 6, (5,))
    first, second = call(NET.apply, VARIABLES, Z), call(NET.apply, VARIABLES, others)
    for i in range(6):
        candidates = [np.stack([first[i]] * cut + [second[i]] * (6 - cut)) for cut in (1, 2, 3)]
        assert sum(np.allclose(ws[i], c, rtol=1e-5) for c in candidates) == 1


@pytest.mark.heavy
def test_the_cut_is_uniform_and_happens_as_often_as_said():
    count, layers, used = 4000, 8, 6
    ws = mix(jnp.zeros((count, layers, 1)), jnp.ones((count, layers, 1)), KEY, 0.9, used)[:, :, 0]
    assert (np.diff(ws) >= 0).all()  # never back to the first
    cuts = np.bincount(np.asarray((ws == 0).sum(1)), minlength=layers + 1)
    expected = count * np.array([0, *[0.9 / 5] * 5, 0, 0, 0.1])
    assert (cuts[expected == 0] == 0).all()
    chi = ((cuts - expected)[expected > 0] ** 2 / expected[expected > 0]).sum()
    assert chi < 20.5  # the 99.9 % quantile of chi squared with 5 degrees of freedom


def test_without_mixing_all_layers_have_one_style():
    ws, _ = in_training(Z)
    np.testing.assert_array_equal(ws, broadcast(call(NET.apply, VARIABLES, Z), 6))


@pytest.mark.heavy
def test_an_examples_styles_do_not_depend_on_the_batchs_size():
    np.testing.assert_allclose(in_training(Z, mixing=0.9)[0][:2], in_training(Z[:2], mixing=0.9)[0], rtol=1e-5)
