"""Losses of sequences of tokens."""

import jax
import jax.numpy as jnp


def log_probabilities(logits, tokens):
    """log softmax(logits) of the tokens, in nats. Shapes: logits [B, T, V], tokens int [B, T] -> [B, T]."""
    chosen = jnp.take_along_axis(logits, tokens[..., None], -1)[..., 0]
    return chosen - jax.nn.logsumexp(logits, -1)


def penalty(params):
    """Half the sum of squares of the weights of a net's module "head"; 0 if it has none.

    Source: `l2_loss` of the code of arXiv:1609.05473.
    """
    return sum((jnp.square(leaf).sum() for leaf in jax.tree.leaves(params.get("head", {}))), jnp.float32(0)) / 2
