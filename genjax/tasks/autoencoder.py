"""Autoencoders: a net x a reconstruction loss x a corruption of the encoder's input x a penalty on the latents."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.extensions import find, takes
from genjax.losses.reconstruction import mean
from genjax.losses.sparsity import PENALTIES
from genjax.nets import autoencoder, contracts, conv_autoencoder, recurrent_autoencoder
from genjax.nets.layers import ACTIVATIONS
from genjax.ops import padding
from genjax.ops.corruption import CORRUPTIONS
from genjax.ops.pixels import to_float, to_pixels
from genjax.tasks.reconstruction import loss_of_outputs

NETS = {
    "dense": autoencoder.Dense,
    "tied": autoencoder.Tied,
    "conv": conv_autoencoder.Convolutional,
    "recurrent": recurrent_autoencoder.Recurrent,
}


def config() -> ConfigDict:
    """Every key of an autoencoder's config with its default, locked: a misspelled key in a config file raises."""
    c = defaults(task="autoencoder")
    c.eval.metrics = "reconstruction"
    c.autoencoder = ConfigDict({"net": "dense"})  # further keys: the fields of the net
    c.loss = "bce"  # or "mse"
    c.corruption = ConfigDict({"name": "none", "amount": 0.0})  # of the input in training; see genjax.ops.corruption
    c.penalty = ConfigDict({"name": "none", "weight": 0.0, "target": 0.1})  # on latents; see genjax.losses.sparsity
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """An autoencoder for examples of one shape, from its config. Series (shapes [T, F]) may have unequal lengths.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    net = construct(NETS, c.autoencoder, "autoencoder", contracts.Autoencoder.check, shape=tuple(shape))
    loss = loss_of_outputs(net, c.loss, "loss")
    penalty = find(PENALTIES, c.penalty.name, "penalty.name", takes("z", "target"))
    corruption = find(CORRUPTIONS, c.corruption.name, "corruption.name", takes("key", "x", "amount"))
    _validate(c)
    jax.eval_shape(
        lambda: net.init(jax.random.key(0), jnp.zeros((1, *shape)))
    )  # refuses shapes that the net cannot take
    apply = computing_in(c.dtype, net.apply)
    tx = optimizer(**c.optimizer)
    padded = len(shape) == 2

    def init(key):
        return State(jnp.int32(0), {"autoencoder": init_net(net.init(key, jnp.zeros((1, *shape))), tx)}, {}, {})

    def corrupted(key, x):
        y = corruption(key, x, c.corruption.amount)
        return padding.copy_padding(y, x) if padded else y

    def total(params, stats, x, key):
        k_corrupt, k_dropout = jax.random.split(key)
        bound = partial(apply, {"params": params}, train=True, rngs={"dropout": k_dropout})
        z = bound(corrupted(k_corrupt, x), method="encode")
        y = bound(z, method="decode")
        value = padding.masked_mean(lambda known: loss(y, known), x) if padded else mean(loss, y, x)
        if not penalty:
            return value, (stats, {"loss": value})
        activity = penalty(z, c.penalty.target)
        metrics = {"loss": value + c.penalty.weight * activity}
        metrics |= {"reconstruction/loss": value, "penalty/activity": activity}
        return metrics["loss"], (stats, metrics)

    def step(state, batch, key):
        """One update by the loss between clean examples and reconstructions of corrupted ones."""
        x = to_float(batch["x"][0], "sigmoid")
        trained, metrics = gradient_step(state.nets["autoencoder"], tx, total, x, key)
        return State(state.step + 1, {"autoencoder": trained}, state.ema, state.extra), metrics

    return Task(init, (Phase("train", c.steps, c.batch, step),), outputs(c, net, corrupted))


def outputs(c: ConfigDict, net: nn.Module, corrupted: Callable) -> dict[str, Callable]:
    """The outputs of the task by their names; `corrupted` maps a key and examples to corrupted ones."""

    def encode(state, x):
        """Latents. Shapes: x uint8 pixels, pixels from 0 to 1, or points [N, *shape] -> [N, ...]."""
        return net.apply(state.nets["autoencoder"].variables, to_float(x, "sigmoid"), method="encode")

    def decode(state, z, ema=True):
        """Examples of latents, pixels from 0 to 255, not rounded. Shapes: z [N, ...] -> [N, *shape]."""
        y = net.apply(state.nets["autoencoder"].variables, z, method="decode")
        return to_pixels(ACTIVATIONS[net.output](y), "sigmoid" if len(net.shape) == 3 else "linear")

    def reconstruct(state, x):
        """Reconstructions, pixels from 0 to 255, not rounded; series padded as x is. Shapes: x [N, *shape], kept."""
        y = decode(state, encode(state, x))
        return padding.copy_padding(y, x) if len(net.shape) == 2 else y

    def corrupt(state, x):
        """Examples as training corrupts them, pixels from 0 to 1, which `encode` takes. Shapes: x [N, *shape], kept."""
        return corrupted(jax.random.key(0), to_float(x, "sigmoid"))

    named = {"encode": encode, "decode": decode, "reconstruct": reconstruct}
    return named | {"corrupt": corrupt} if c.corruption.name != "none" else named


def _validate(c):
    """Raises: InputError for numbers out of range."""
    amount = c.corruption.amount
    weight = c.penalty.weight
    target = c.penalty.target
    if amount < 0 or (c.corruption.name == "dropout" and amount >= 1):
        raise InputError(f"corruption.amount={amount}: expected 0 or more, and less than 1 for dropout")
    if weight < 0 or not 0 < target < 1:
        raise InputError(
            f"penalty.weight={weight}, target={target}: expected a weight of at least 0 and a target between 0 and 1"
        )
