"""The LSTM layer, its weights laid out as Keras has them."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.nets.layers import INITIALIZERS
from genjax.ops.shared import matmul, per_example


def _forget_one(key, shape, dtype=jnp.float32):
    """Ones for the forget gate, so that a new layer remembers; zeros for the others.

    Source: Jozefowicz et al., ICML 2015, section 4.
    """
    return jnp.zeros(shape, dtype).at[shape[0] // 4 : shape[0] // 2].set(1)


def advance(gates, c):
    """h and c after one step, from its gates i, f, g, o and the c before it. Shapes: [B, 4W], [B, W] -> two [B, W]."""
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


class LSTM(nn.Module):
    """c = f * c + i * g; h = o * tanh(c), from zeros, where i, f, o = sigmoid and g = tanh of x W + h U + b.

    The gates are concatenated in the order i, f, g, o. The input projection x W of all steps is one matrix product. A
    step that is not `valid` (padding) leaves h and c unchanged.
    Source: Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); layout and initializers of
    `keras.layers.LSTM`.
    Shapes: x [B, T, F], valid bool [B, T] -> h of each step [B, T, width]. With `repeat` > 0: x [B, F], the same input
    for each of `repeat` steps -> [B, repeat, width].
    """

    width: int
    kernel_init: nn.initializers.Initializer = INITIALIZERS["glorot"]

    @nn.compact
    def __call__(self, x, valid=None, repeat: int = 0):
        """The states h of all steps."""
        w = self.param("kernel", self.kernel_init, (x.shape[-1], 4 * self.width))
        u = self.param("recurrent_kernel", nn.initializers.orthogonal(), (self.width, 4 * self.width))
        b = self.param("bias", _forget_one, (4 * self.width,))
        gates = matmul(x, w)
        gates = gates + per_example(b, gates)
        if repeat:
            gates = jnp.broadcast_to(gates[:, None], (x.shape[0], repeat, 4 * self.width))

        def step(carry, inputs):
            gates, valid = inputs
            new = advance(gates + matmul(carry[0], u), carry[1])
            if valid is not None:
                new = tuple(jnp.where(valid[:, None], n, old) for n, old in zip(new, carry, strict=True))
            return new, new[0]

        start = jnp.zeros((x.shape[0], self.width), gates.dtype)
        _, h = jax.lax.scan(step, (start, start), (gates.swapaxes(0, 1), None if valid is None else valid.T))
        return h.swapaxes(0, 1)
