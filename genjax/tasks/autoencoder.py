"""Autoencoders: a net x a reconstruction loss x a corruption of what it sees x a penalty on its latents."""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct, defaults, pick
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.losses.reconstruction import LOSSES, mean
from genjax.losses.sparsity import PENALTIES
from genjax.nets import autoencoder, contracts, conv_autoencoder, recurrent_autoencoder
from genjax.nets.layers import ACTIVATIONS
from genjax.ops import padding
from genjax.ops.corruption import CORRUPTIONS
from genjax.ops.pixels import to_float, to_pixels

NETS = {
    "dense": autoencoder.Dense,
    "tied": autoencoder.Tied,
    "conv": conv_autoencoder.Convolutional,
    "recurrent": recurrent_autoencoder.Recurrent,
}


def config() -> ConfigDict:
    """Every key of an autoencoder's config with its default, locked: a misspelt key in a config file raises."""
    c = defaults(task="autoencoder")
    c.eval.metrics = "reconstruction"
    c.autoencoder = ConfigDict({"net": "dense"})  # further keys: the fields of the net
    c.loss = "bce"  # or "mse"
    c.corruption = ConfigDict({"name": "none", "amount": 0.0})  # of the input in training; see genjax.ops.corruption
    c.penalty = ConfigDict({"name": "none", "weight": 0.0, "target": 0.1})  # on latents; see genjax.losses.sparsity
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """An autoencoder of examples of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    net = construct(NETS, c.autoencoder, "autoencoder", contracts.Autoencoder.check, shape=tuple(shape))
    loss, penalty = pick(LOSSES, c.loss, "loss"), pick(PENALTIES, c.penalty.name, "penalty.name")
    corrupt = pick(CORRUPTIONS, c.corruption.name, "corruption.name")
    if (net.output == "sigmoid") != (c.loss == "bce"):
        raise InputError(f"loss={c.loss!r} with output={net.output!r}: expected bce with sigmoid, or mse with another")
    if c.corruption.amount < 0 or (c.corruption.name == "dropout" and c.corruption.amount >= 1):
        raise InputError(f"corruption.amount={c.corruption.amount}: expected 0 or more, and of dropout less than 1")
    if c.penalty.weight < 0 or not 0 < c.penalty.target < 1:
        raise InputError(
            f"penalty.weight={c.penalty.weight}, target={c.penalty.target}: expected a weight of at least 0 and a "
            "target between 0 and 1"
        )
    jax.eval_shape(lambda: net.init(jax.random.key(0), jnp.zeros((1, *shape))))  # what does not fit is refused here
    apply, tx = computing_in(c.dtype, net.apply), optimizer(**c.optimizer)
    series = len(shape) == 2  # which may have unequal lengths

    def init(key):
        return State(jnp.int32(0), {"autoencoder": init_net(net.init(key, jnp.zeros((1, *shape))), tx)}, {}, {})

    def corrupted(key, x):
        seen = corrupt(key, x, c.corruption.amount)
        return padding.copy_padding(seen, x) if series else seen

    def total(params, stats, x, key):
        k_corrupt, k_drop = jax.random.split(key)
        variables, seen = {"params": params}, corrupted(k_corrupt, x)
        z = apply(variables, seen, train=True, rngs={"dropout": k_drop}, method="encode")
        y = apply(variables, z, train=True, rngs={"dropout": k_drop}, method="decode")
        value = padding.masked_mean(lambda known: loss(y, known), x) if series else mean(loss, y, x)
        if not penalty:
            return value, (stats, {"loss": value})
        active = penalty(z, c.penalty.target)
        metrics = {"loss": value + c.penalty.weight * active, "reconstruction/loss": value, "penalty/activity": active}
        return metrics["loss"], (stats, metrics)

    def step(state, batch, key):
        """One update on clean examples as they are restored from corrupted ones."""
        x = to_float(batch["x"][0], "sigmoid")
        trained, metrics = gradient_step(state.nets["autoencoder"], tx, total, x, key)
        return State(state.step + 1, {"autoencoder": trained}, state.ema, state.extra), metrics

    def encode(state, x):
        """Latents. Shapes: x uint8 [N, *shape] (or points) -> [N, ...]."""
        return net.apply(state.nets["autoencoder"].variables, to_float(x, "sigmoid"), method="encode")

    def restore(state, z):
        return ACTIVATIONS[net.output](net.apply(state.nets["autoencoder"].variables, z, method="decode"))

    def decode(state, z, ema=True):
        """Examples of latents, pixels from 0 to 255 and not rounded. Shapes: z [N, ...] -> [N, *shape]."""
        return to_pixels(restore(state, z), "sigmoid" if len(shape) == 3 else "linear")

    def reconstruct(state, x):
        """Reconstructions, pixels from 0 to 255, not rounded; series padded as x is. Shapes: x [N, *shape], kept."""
        y = decode(state, encode(state, x))
        return padding.copy_padding(y, x) if series else y

    def show(state, x):
        """Examples as training corrupts them, pixels from 0 to 1, which `encode` takes. Shapes: x [N, *shape], kept."""
        return corrupted(jax.random.key(0), to_float(x, "sigmoid"))

    outputs = {"encode": encode, "decode": decode, "reconstruct": reconstruct}
    if c.corruption.name != "none":
        outputs["corrupt"] = show
    return Task(init, (Phase("train", c.steps, c.batch, step),), outputs)
