"""What a critic is told of its batch, against loops in NumPy, and that the batch's order does not matter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.errors import InputError
from genjax.nets import dcgan, mlp
from genjax.nets.minibatch import Discrimination, book_stddev, paper_stddev

H = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
PERMUTATION = np.array([5, 2, 7, 0, 1, 6, 3, 4])


def test_discrimination_is_the_papers_double_sum():
    layer = Discrimination(kernels=3, size=2)
    y, variables = layer.init_with_output(jax.random.key(0), jnp.asarray(H))
    m = (np.float64(H) @ np.float64(variables["params"]["Dense_0"]["kernel"])).reshape(8, 3, 2)
    expected = np.zeros((8, 3))
    for i in range(8):
        for b in range(3):
            expected[i, b] = sum(np.exp(-np.abs(m[i, b] - m[j, b]).sum()) for j in range(8))
    assert y.shape == (8, 9)
    np.testing.assert_array_equal(y[:, :6], H)
    np.testing.assert_allclose(y[:, 6:], expected, rtol=1e-5)


def test_discrimination_of_identical_examples_counts_them():
    y, _ = Discrimination(kernels=3).init_with_output(jax.random.key(0), jnp.ones((8, 6)))
    np.testing.assert_allclose(y[:, 6:], 8, rtol=1e-6)


def test_the_papers_deviation_is_over_groups_of_four_and_a_mean_over_features():
    y = paper_stddev(jnp.asarray(H))
    expected = np.repeat([np.float64(H[:4]).std(0).mean(), np.float64(H[4:]).std(0).mean()], 4)
    np.testing.assert_array_equal(y[:, :6], H)
    np.testing.assert_allclose(y[:, 6], expected, rtol=1e-5)


def test_a_batch_smaller_than_a_group_is_one():
    np.testing.assert_allclose(paper_stddev(jnp.asarray(H[:3]))[:, 6], np.float64(H[:3]).std(0).mean(), rtol=1e-5)


def test_groups_that_do_not_divide_the_batch_are_refused():
    with pytest.raises(InputError, match="groups of 4, which do not divide 6"):
        paper_stddev(jnp.asarray(H[:6]))


def test_the_books_deviation_is_over_examples_and_channels_and_a_mean_over_places():
    x = np.random.default_rng(1).normal(size=(8, 5, 4, 3))
    expected = np.mean([[x[:, i, j].ravel().std() for j in range(4)] for i in range(5)])
    np.testing.assert_allclose(book_stddev(jnp.float32(x)), expected, rtol=1e-5)
    np.testing.assert_allclose(book_stddev(jnp.asarray(H)), np.float64(H).std(), rtol=1e-5)


def test_a_collapsed_batch_has_the_deviation_of_the_roots_epsilon():
    same = jnp.tile(jnp.asarray(H[:1]), (8, 1))
    np.testing.assert_allclose(paper_stddev(same)[:, 6], 1e-4, rtol=1e-3)
    np.testing.assert_allclose(book_stddev(jnp.full((8, 3, 3, 2), 0.5)), 1e-4, rtol=1e-3)
    assert np.isfinite(jax.grad(lambda h: paper_stddev(h).sum())(same)).all()


@pytest.mark.parametrize("minibatch", ["discrimination", "stddev", "stddev_book"])
@pytest.mark.parametrize("net", ["mlp", "dcgan"])
def test_a_critics_logits_move_with_their_examples(net, minibatch):
    """With any order, but for groups of neighbors: within those, and of whole groups."""
    if net == "mlp":
        critic = mlp.Critic(widths=(5,), minibatch=minibatch)
        x = jax.random.normal(jax.random.key(1), (8, 6))
    else:
        critic = dcgan.Critic(channels=(3,), dropout=0.0, minibatch=minibatch)
        x = jax.random.normal(jax.random.key(1), (8, 4, 4, 1))
    order = np.array([7, 5, 4, 6, 2, 0, 3, 1]) if minibatch == "stddev" else PERMUTATION
    logits, variables = jax.jit(critic.init_with_output)(jax.random.key(0), x)
    judge = jax.jit(critic.apply)
    np.testing.assert_allclose(judge(variables, x[order]), logits[order], rtol=1e-4, atol=1e-5)
    assert np.abs(judge(variables, x[:1]) - logits[:1]).max() > 1e-4  # and the others matter
