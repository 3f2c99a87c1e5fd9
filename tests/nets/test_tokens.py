"""Nets of tokens: the LSTM is the oracle's, the critic that of the authors, counted and in float64 NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.data.oracle import draw_oracle
from genjax.errors import InputError
from genjax.losses.tokens import log_probabilities, penalty
from genjax.nets.tokens import TokenCNN, TokenLSTM


def test_an_lstm_with_the_oracles_weights_gives_its_likelihoods():
    oracle = draw_oracle(40)
    names = {"embedding_table": "embedding"}
    net = TokenLSTM(40)
    x = np.random.default_rng(0).integers(0, 40, (3, 9)).astype(np.int32)
    shapes = jax.eval_shape(net.init, jax.random.key(0), x)["params"]
    params = {name: getattr(oracle, names.get(name, name)) for name in shapes}
    logits = net.apply({"params": params}, x)
    np.testing.assert_allclose(log_probabilities(logits, x).sum(1), oracle.log_probability(x), rtol=2e-5)


def test_the_critic_has_the_authors_parameters():
    """An embedding of 64, 1,720 filters, a highway of two squares and a layer of two outputs."""
    net = TokenCNN(5000)
    shapes = jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, 20), jnp.int32))["params"]
    filters = {1: 100, 2: 200, 3: 200, 4: 200, 5: 200, 6: 100, 7: 100, 8: 100, 9: 100, 10: 100, 15: 160, 20: 160}
    expected = 5000 * 64 + sum(width * 64 * n + n for width, n in filters.items())
    expected += 2 * (1720 * 1720 + 1720) + 1720 * 2 + 2
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == expected


def test_the_critic_is_convolutions_their_maxima_and_a_highway():
    net = TokenCNN(11, widths=(1, 3), filters=(4, 5), embedding=2)
    x = np.random.default_rng(0).integers(0, 11, (2, 6)).astype(np.int32)
    params = jax.jit(net.init)(jax.random.key(0), x)["params"]
    p = jax.tree.map(np.float64, params)
    pooled = []
    for width in (1, 3):
        kernel, bias = p[f"filters_{width}"]["window"]["kernel"], p[f"filters_{width}"]["window"]["bias"]
        kernel = kernel.reshape(width, 2, -1)
        e = p["embedding_table"][x]
        sums = [sum(e[:, t + k] @ kernel[k] for k in range(width)) + bias for t in range(6 - width + 1)]
        pooled.append(np.maximum(np.max(sums, 0), 0))
    h = np.concatenate(pooled, 1)
    highway = p["highway"]
    share = 1 / (1 + np.exp(-(h @ highway["gate"]["kernel"] + highway["gate"]["bias"])))
    made = np.maximum(h @ highway["transform"]["kernel"] + highway["transform"]["bias"], 0)
    h = share * made + (1 - share) * h
    both = h @ p["head"]["kernel"] + p["head"]["bias"]
    np.testing.assert_allclose(net.apply({"params": params}, x), both[:, 1] - both[:, 0], rtol=1e-5, atol=1e-6)
    squares = (p["head"]["kernel"] ** 2).sum() + (p["head"]["bias"] ** 2).sum()
    assert penalty(params) == pytest.approx(squares / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"widths": (1, 7), "filters": (2, 2)}, "wider than a sequence of 6 tokens"),
        ({"widths": (1, 2), "filters": (2,)}, "one number of filters for each width"),
    ],
)
def test_filters_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        TokenCNN(11, **fields).init(jax.random.key(0), jnp.zeros((1, 6), jnp.int32))
