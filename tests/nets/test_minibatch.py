"""Statistics over a critic's batch: against loops in NumPy, and independent of the batch's order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call

from genjax.errors import InputError
from genjax.nets import dcgan, mlp
from genjax.nets.minibatch import MINIBATCH, Discrimination, append_statistic, stddev, stddev_strided, stddev_textbook

H = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
PERMUTATION = np.array([5, 2, 7, 0, 1, 6, 3, 4])


def test_discrimination_is_the_papers_double_sum():
    layer = Discrimination(kernels=3, size=2)
    y, variables = call(layer.init_with_output, jax.random.key(0), H)
    m = (np.float64(H) @ np.float64(variables["params"]["Dense_0"]["kernel"])).reshape(8, 3, 2)
    expected = np.zeros((8, 3))
    for i in range(8):
        for b in range(3):
            expected[i, b] = sum(np.exp(-np.abs(m[i, b] - m[j, b]).sum()) for j in range(8))
    assert y.shape == (8, 9)
    np.testing.assert_array_equal(y[:, :6], H)
    np.testing.assert_allclose(y[:, 6:], expected, rtol=1e-5)


def test_discrimination_of_identical_examples_counts_them():
    y, _ = call(Discrimination(kernels=3).init_with_output, jax.random.key(0), jnp.ones((8, 6)))
    np.testing.assert_allclose(y[:, 6:], 8, rtol=1e-6)


def test_the_papers_deviation_is_over_groups_of_four_and_a_mean_over_features():
    expected = np.repeat([np.float64(H[:4]).std(0).mean(), np.float64(H[4:]).std(0).mean()], 4)
    np.testing.assert_allclose(call(stddev, H), expected, rtol=1e-5)
    np.testing.assert_allclose(call(stddev, H.reshape(8, 1, 2, 3)), expected, rtol=1e-5)


def test_a_batch_smaller_than_a_group_is_one():
    np.testing.assert_allclose(call(stddev, (H[:3])), np.float64(H[:3]).std(0).mean(), rtol=1e-5)


def test_groups_that_do_not_divide_the_batch_are_refused():
    with pytest.raises(InputError, match="groups of 4, which do not divide 6"):
        stddev(H[:6])


@pytest.mark.parametrize(("count", "group"), [(8, 4), (8, 2), (16, 8), (64, 32), (3, 4), (8, 1)])
def test_the_authors_groups_are_strided(count, group):
    """Group m of M has the examples m, m + M, ...; each example has the number of its group."""
    x = np.random.default_rng(count).normal(size=(count, 2, 2, 3))
    groups = max(count // group, 1)
    expected = [np.sqrt(x[i % groups :: groups].var(0) + 1e-8).mean() for i in range(count)]
    with jax.enable_x64():
        np.testing.assert_allclose(jax.jit(stddev_strided, static_argnums=1)(x, group), expected, rtol=1e-12)


@pytest.mark.parametrize(("count", "group"), [(16, 8), (64, 32), (6, 2)])
def test_neighbors_are_in_groups_of_any_size(count, group):
    x = np.random.default_rng(count).normal(size=(count, 5))
    start = [i // group * group for i in range(count)]
    expected = [np.sqrt(x[i : i + group].var(0) + 1e-8).mean() for i in start]
    with jax.enable_x64():
        np.testing.assert_allclose(jax.jit(stddev, static_argnums=1)(x, group), expected, rtol=1e-12)


def test_the_books_deviation_is_over_examples_and_channels_and_a_mean_over_places():
    x = np.random.default_rng(1).normal(size=(8, 5, 4, 3))
    expected = np.mean([[x[:, i, j].ravel().std() for j in range(4)] for i in range(5)])
    np.testing.assert_allclose(call(stddev_textbook, jnp.float32(x)), expected, rtol=1e-5)
    np.testing.assert_allclose(call(stddev_textbook, H), np.float64(H).std(), rtol=1e-5)


def test_a_collapsed_batch_has_the_deviation_of_the_roots_epsilon():
    same = np.tile(H[:1], (8, 1))
    np.testing.assert_allclose(call(stddev, same), 1e-4, rtol=1e-3)
    np.testing.assert_allclose(call(stddev_textbook, jnp.full((8, 3, 3, 2), 0.5)), 1e-4, rtol=1e-3)
    assert np.isfinite(jax.jit(jax.grad(lambda h: stddev(h).sum()))(same)).all()


@pytest.mark.heavy
@pytest.mark.parametrize("minibatch", MINIBATCH)
def test_a_statistic_joins_maps_as_a_channel_that_is_equal_at_all_places(minibatch):
    x = np.random.default_rng(2).normal(size=(8, 2, 3, 5)).astype(np.float32)
    y = np.asarray(jax.jit(lambda x: append_statistic(minibatch, x))(x))
    numbers = np.asarray(jax.jit(MINIBATCH[minibatch])(x))
    np.testing.assert_array_equal(y[..., :5], x)
    np.testing.assert_array_equal(y[..., 5], np.broadcast_to(numbers[:, None, None], (8, 2, 3)))
    assert append_statistic("", x) is x


@pytest.mark.heavy
@pytest.mark.parametrize("minibatch", ["discrimination", "stddev", "stddev_strided", "stddev_textbook"])
@pytest.mark.parametrize("net", ["mlp", "dcgan"])
def test_logits_are_permuted_with_their_examples(net, minibatch):
    """In any order; groups may be exchanged as a whole, and examples within them."""
    if net == "mlp":
        critic = mlp.Critic(widths=(5,), minibatch=minibatch)
        x = np.random.default_rng(1).normal(size=(8, 6)).astype(np.float32)
    else:
        critic = dcgan.Critic(channels=(3,), dropout=0.0, minibatch=minibatch)
        x = np.random.default_rng(1).normal(size=(8, 4, 4, 1)).astype(np.float32)
    orders = {"stddev": [7, 5, 4, 6, 2, 0, 3, 1], "stddev_strided": [3, 6, 1, 0, 7, 2, 5, 4]}
    order = np.array(orders.get(minibatch, PERMUTATION))
    logits, variables = jax.jit(critic.init_with_output)(jax.random.key(0), x)
    apply = jax.jit(critic.apply)
    np.testing.assert_allclose(apply(variables, x[order]), logits[order], rtol=1e-4, atol=1e-5)
    assert np.abs(apply(variables, x[:1]) - logits[:1]).max() > 1e-4  # and the others matter
