"""The GRU layer and a stack of them, with parameters as TensorFlow's `GRUCell` has them."""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Dense
from genjax.ops.shared import matmul, per_example


class GRU(nn.Module):
    """h = u * h + (1 - u) * tanh(x W + (r * h) U + b), from zeros, where r, u = sigmoid of x W' + h U' + b'.

    Parameters: `gates_kernel`, the rows of x over those of h and the columns of r before those of u; `gates_bias`, ones
    at first, so that a new layer remembers; `candidate_kernel` and `candidate_bias` likewise.
    Source: arXiv:1406.1078, section 2.3; order and initial values of TensorFlow's `rnn_cell.GRUCell`.
    Shapes: x [B, T, F] -> h of each step [B, T, width], each of the steps up to its own.
    """

    width: int

    @nn.compact
    def __call__(self, x):
        """The states h of all steps."""
        inputs, width = x.shape[-1], self.width
        w = self.param("gates_kernel", INITIALIZERS["glorot"], (inputs + width, 2 * width))
        b = self.param("gates_bias", nn.initializers.ones, (2 * width,))
        v = self.param("candidate_kernel", INITIALIZERS["glorot"], (inputs + width, width))
        a = self.param("candidate_bias", nn.initializers.zeros, (width,))
        of_x = matmul(x, jnp.concatenate([w[:inputs], v[:inputs]], 1))  # one product for all steps
        of_x = of_x + per_example(jnp.concatenate([b, a]), of_x)

        def step(h, of_x):
            gates, candidate = jnp.split(of_x, [2 * width], axis=-1)
            r, u = jnp.split(jax.nn.sigmoid(gates + matmul(h, w[inputs:])), 2, axis=-1)
            h = u * h + (1 - u) * jnp.tanh(candidate + matmul(r * h, v[inputs:]))
            return h, h

        _, h = jax.lax.scan(step, jnp.zeros((x.shape[0], width), of_x.dtype), of_x.swapaxes(0, 1))
        return h.swapaxes(0, 1)


class GRUStack(nn.Module):
    """`layers` GRUs, and one dense layer per step. A step's outputs depend on the steps up to it alone.

    Shapes: x [B, T, F] -> [B, T, features].
    """

    features: int
    output: str = "linear"
    width: int = 24
    layers: int = 3

    CHOICES: ClassVar = {"output": ACTIVATIONS}

    @nn.compact
    def __call__(self, x):
        """Outputs of all steps."""
        for number in range(self.layers):
            x = GRU(self.width, name=f"gru_{number}")(x)
        return ACTIVATIONS[self.output](Dense(self.features, name="head")(x))
