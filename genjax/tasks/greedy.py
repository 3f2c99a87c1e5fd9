"""Greedy layer-wise training: one shallow autoencoder at a time, each on the latents of the layers below it.

Source: Bengio et al., "Greedy Layer-Wise Training of Deep Networks" (NIPS 2006), section 4, on autoencoders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.config import defaults, pick
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, joint_gradient_step, optimizer
from genjax.errors import InputError
from genjax.losses.reconstruction import bce, mean, mse
from genjax.nets.autoencoder import Dense
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS
from genjax.ops.pixels import to_float, to_pixels


def config() -> ConfigDict:
    """Every key of a greedily trained autoencoder's config with its default, locked."""
    c = defaults(task="greedy")  # `steps` are per layer
    c.eval.metrics = "reconstruction"
    c.widths = (100, 30)  # of the layers, one phase each
    c.activation = "selu"
    c.kernel_init = "glorot"
    c.optimizer = ConfigDict({"name": "adam", "learning_rates": (1e-3, 1e-3), "b1": 0.9, "b2": 0.999})  # rates by layer
    c.finetune = ConfigDict({"steps": 0, "learning_rate": 1e-3})  # of all layers together, afterwards; 0: no such phase
    return c.lock()


@dataclass(frozen=True)
class Stack:
    """Shallow autoencoders on top of each other, "layer_1" on images and each other one on the latents below it.

    All encoders upwards, then all decoders downwards, are one deep autoencoder. `params` are by layer.
    """

    shape: tuple[int, ...]
    widths: tuple[int, ...]
    activation: str
    kernel_init: str
    dtype: str = "float32"

    @property
    def names(self) -> list[str]:
        """The layers from the lowest to the highest."""
        return [f"layer_{i + 1}" for i in range(len(self.widths))]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one example of each layer."""
        return dict(zip(self.names, (self.shape, *((width,) for width in self.widths[:-1])), strict=True))

    @cached_property
    def nets(self) -> dict[str, Dense]:
        """The layers' nets."""
        return {
            name: Dense(self.shapes[name], (width,), self.activation, kernel_init=self.kernel_init)
            for name, width in zip(self.names, self.widths, strict=True)
        }

    def apply(self, name: str, params, x, method: str):
        """One layer's `method`, computed in `dtype`."""
        return computing_in(self.dtype, self.nets[name].apply)({"params": params}, x, method=method)

    def encode_through(self, params: Mapping, x, names: Sequence[str]):
        """Latents of the last of some layers, from examples of the first."""
        for name in names:
            x = self.apply(name, params[name], x, "encode")
        return x

    def decode_through(self, params: Mapping, z, names: Sequence[str]):
        """Outputs of the first of some layers before its activation, from latents of the last."""
        for name in reversed(names):
            z = self.apply(name, params[name], z, "decode")
            z = ACTIVATIONS[self.activation](z) if name != names[0] else z
        return z


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A stack of shallow autoencoders for images of one shape, from its config: a net and a phase per layer.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    _validate(c, shape)
    stack = Stack(tuple(shape), tuple(c.widths), c.activation, c.kernel_init, c.dtype)
    exact = Stack(tuple(shape), tuple(c.widths), c.activation, c.kernel_init)  # outputs are computed in float32
    adam = {key: value for key, value in c.optimizer.items() if key != "learning_rates"}
    rates = dict(zip(stack.names, c.optimizer.learning_rates, strict=True))
    tx = {name: optimizer(learning_rate=rate, **adam) for name, rate in rates.items()}

    def init(key):
        keys = dict(zip(stack.names, jax.random.split(key, len(stack.names)), strict=True))
        examples = {name: jnp.zeros((1, *below)) for name, below in stack.shapes.items()}
        variables = {name: net.init(keys[name], examples[name]) for name, net in stack.nets.items()}
        return State(jnp.int32(0), {name: init_net(variables[name], tx[name]) for name in stack.names}, {}, {})

    def encode(state, x):
        """Latents of the last layer. Shapes: x uint8 [N, *shape] -> [N, widths[-1]]."""
        return exact.encode_through(_params(state), to_float(x, "sigmoid"), stack.names)

    def decode(state, z, ema=True):
        """Images of latents, pixels from 0 to 255, not rounded. Shapes: z [N, widths[-1]] -> [N, *shape]."""
        return to_pixels(jax.nn.sigmoid(exact.decode_through(_params(state), z, stack.names)), "sigmoid")

    def reconstruct(state, x):
        """Reconstructions by the whole stack, pixels from 0 to 255, not rounded. Shapes: x [N, *shape], kept."""
        return decode(state, encode(state, x))

    phases = [layer_phase(c, stack, name, tx[name]) for name in stack.names]
    if c.finetune.steps:
        phases.append(finetune_phase(c, stack, optimizer(learning_rate=c.finetune.learning_rate, **adam)))
    return Task(init, tuple(phases), {"encode": encode, "decode": decode, "reconstruct": reconstruct})


def layer_phase(c: ConfigDict, stack: Stack, name: str, tx: optax.GradientTransformation) -> Phase:
    """The training of one layer, in which the others do not change.

    The lowest layer reconstructs pixels (sigmoid, binary cross-entropy); each other one reconstructs the latents below
    it (their activation, squared error).
    """
    lowest = name == stack.names[0]
    below = stack.names[: stack.names.index(name)]
    loss = bce if lowest else mse
    activation = ACTIVATIONS["linear" if lowest else c.activation]  # bce takes logits

    def total(params, stats, x):
        y = stack.apply(name, params, stack.apply(name, params, x, "encode"), "decode")
        value = mean(loss, activation(y), x)
        return value, (stats, {f"{name}/loss": value})

    def step(state, batch, key):
        """One update of one layer, on the latents of the layers below it."""
        x = stack.encode_through(_params(state), to_float(batch["x"][0], "sigmoid"), below)
        trained, metrics = gradient_step(state.nets[name], tx, total, x)
        return state.replace(step=state.step + 1, nets=state.nets | {name: trained}), metrics

    return Phase(name, c.steps, c.batch, step)


def finetune_phase(c: ConfigDict, stack: Stack, tx: optax.GradientTransformation) -> Phase:
    """The training of the whole stack as one autoencoder."""

    def total(params, x):
        y = stack.decode_through(params, stack.encode_through(params, x, stack.names), stack.names)
        value = mean(bce, y, x)
        return value, {"finetune/loss": value}

    def step(state, batch, key):
        """One update of the whole stack."""
        trained, metrics = joint_gradient_step(state.nets, tx, total, to_float(batch["x"][0], "sigmoid"))
        return state.replace(step=state.step + 1, nets=trained), metrics

    def restart_optimizers(state, key):
        """Each layer with the first state of the optimizer."""
        return state.replace(nets={name: net.replace(opt=tx.init(net.params)) for name, net in state.nets.items()})

    return Phase("finetune", c.finetune.steps, c.batch, step, enter=restart_optimizers)


def _params(state: State) -> dict:
    return {name: net.params for name, net in state.nets.items()}


def _validate(c, shape):
    """Raises: InputError for choices that do not exist or do not fit each other or the data."""
    rates = c.optimizer.learning_rates
    pick(ACTIVATIONS, c.activation, "activation")
    pick(INITIALIZERS, c.kernel_init, "kernel_init")
    if len(shape) != 3:
        raise InputError(f"the first layer reconstructs pixels, but the data have shape {list(shape)}: expected images")
    if not c.widths or min(c.widths) < 1 or len(rates) != len(c.widths):
        raise InputError(
            f"widths={c.widths}, optimizer.learning_rates={rates}: expected at least one width and a rate for each"
        )
    if c.finetune.steps < 0:
        raise InputError(f"finetune.steps={c.finetune.steps}: expected 0 (none) or more")
