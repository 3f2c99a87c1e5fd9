"""Nets of sequences of tokens: an LSTM that gives the next token's logits, and a convolutional critic.

Source: arXiv:1609.05473, section 3, and its authors' `generator.py` and `discriminator.py`.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.errors import InputError
from genjax.nets.layers import INITIALIZERS, Dropout
from genjax.nets.lstm import advance
from genjax.ops.shared import matmul, per_example

FIRST = 0
"""The token before the first one of a sequence."""


class TokenLSTM(nn.Module):
    """An embedding, one LSTM and a dense layer: logits of the token after those given. All weights begin as N(0, 0.1).

    Shapes: tokens int [B, T] -> logits of each token from those before it [B, T, vocabulary].
    """

    vocabulary: int
    embedding: int = 32
    width: int = 32

    def setup(self):
        """The weights, with the gates in the order of `genjax.nets.lstm.LSTM`."""
        shapes = {"embedding_table": (self.vocabulary, self.embedding), "kernel": (self.embedding, 4 * self.width)}
        shapes |= {"recurrent_kernel": (self.width, 4 * self.width), "bias": (4 * self.width,)}
        shapes |= {"head_kernel": (self.width, self.vocabulary), "head_bias": (self.vocabulary,)}
        init = nn.initializers.normal(0.1)
        self.weights = {name: self.param(name, init, shape) for name, shape in shapes.items()}

    def __call__(self, tokens):
        """Logits of every token."""
        w = self.weights
        before = jnp.pad(tokens[:, :-1], ((0, 0), (1, 0)), constant_values=FIRST)
        gates = matmul(w["embedding_table"][before], w["kernel"])
        gates = gates + per_example(w["bias"], gates)

        def step(carry, gates):
            carry = advance(gates + matmul(carry[0], w["recurrent_kernel"]), carry[1])
            return carry, carry[0]

        _, h = jax.lax.scan(step, self.begin(len(tokens)), gates.swapaxes(0, 1))
        logits = matmul(h.swapaxes(0, 1), w["head_kernel"])
        return logits + per_example(w["head_bias"], logits)

    def begin(self, count):
        """The state before the first token. Shapes: -> two of [count, width]."""
        zeros = jnp.zeros((count, self.width), self.weights["kernel"].dtype)
        return zeros, zeros

    def advance(self, carry, tokens):
        """The state after a token, and logits of the next one. Shapes: tokens int [B] -> logits [B, vocabulary]."""
        w = self.weights
        gates = matmul(w["embedding_table"][tokens], w["kernel"]) + matmul(carry[0], w["recurrent_kernel"])
        carry = advance(gates + per_example(w["bias"], gates), carry[1])
        logits = matmul(carry[0], w["head_kernel"])
        return carry, logits + per_example(w["head_bias"], logits)


class TokenCNN(nn.Module):
    """A critic: convolutions over an embedding, the maximum over time of each filter, and a highway layer.

    `widths` are those of the filters in tokens, `filters` their numbers; both have the paper's values. The logit is the
    difference of two outputs, as of a softmax over "fake" and "real".
    Source: arXiv:1609.05473, section 3.3; arXiv:1505.00387 (highway); initial values of the authors' code.
    Shapes: tokens int [B, T] -> logits [B].
    """

    vocabulary: int
    widths: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)
    filters: tuple[int, ...] = (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160)
    embedding: int = 64
    dropout: float = 0.25

    @nn.compact
    def __call__(self, tokens, train: bool = False):
        """Logits of sequences. Raises: InputError for filters wider than a sequence, and lists of unequal lengths."""
        steps = tokens.shape[1]
        if len(self.widths) != len(self.filters) or not self.widths:
            raise InputError(
                f"critic.widths={self.widths} and critic.filters={self.filters}: expected one number of filters for "
                "each width"
            )
        if max(self.widths) > steps:
            raise InputError(
                f"critic.widths={self.widths}: the widest filter is wider than a sequence of {steps} tokens; leave out "
                f"those above {steps}"
            )
        table = self.param("embedding_table", _uniform, (self.vocabulary, self.embedding))
        x = table[tokens]
        layers = zip(self.widths, self.filters, strict=True)
        h = jnp.concatenate([Filters(width, count, name=f"filters_{width}")(x) for width, count in layers], -1)
        h = Highway(name="highway")(h)
        h = Dropout(self.dropout)(h, train)
        both = _Affine(2, name="head")(h)
        return both[:, 1] - both[:, 0]


class Filters(nn.Module):
    """`features` filters over `width` steps, rectified; the maximum over time. Shapes: [B, T, F] -> [B, features]."""

    width: int
    features: int

    @nn.compact
    def __call__(self, x):
        """Apply the filters as one product over windows."""
        last = x.shape[1] - self.width + 1
        windows = jnp.concatenate([x[:, i : i + last] for i in range(self.width)], -1)
        return nn.relu(_Affine(self.features, name="window")(windows)).max(1)


class Highway(nn.Module):
    """t * relu(x W + b) + (1 - t) * x with t = sigmoid(x V + c). Source: arXiv:1505.00387. Shapes: [B, F], kept."""

    @nn.compact
    def __call__(self, x):
        """Apply the layer."""
        limit = (3 / x.shape[-1]) ** 0.5  # Glorot's for a bias, as TensorFlow's get_variable has it

        def bias(key, shape):
            return jax.random.uniform(key, shape, minval=-limit, maxval=limit)

        made = nn.relu(_Affine(x.shape[-1], INITIALIZERS["glorot"], bias, name="transform")(x))
        share = nn.sigmoid(_Affine(x.shape[-1], INITIALIZERS["glorot"], bias, name="gate")(x))
        return share * made + (1 - share) * x


class _Affine(nn.Module):
    """A matrix product with bias: at first a normal of 0.1, cut at two deviations, and 0.1."""

    features: int
    kernel_init: nn.initializers.Initializer = nn.initializers.truncated_normal(0.1)
    bias_init: nn.initializers.Initializer = nn.initializers.constant(0.1)

    @nn.compact
    def __call__(self, x):
        y = matmul(x, self.param("kernel", self.kernel_init, (x.shape[-1], self.features)))
        return y + per_example(self.param("bias", self.bias_init, (self.features,)), y)


def _uniform(key, shape):
    return jax.random.uniform(key, shape, minval=-1.0, maxval=1.0)
