"""One optimiser step, and the moving average that follows it."""

import jax
import jax.numpy as jnp
import optax

from genjax.config import pick
from genjax.engine.state import Net, Variables


def create(variables: Variables, tx: optax.GradientTransformation) -> Net:
    """A net about to be trained, from what a Linen module's `init` returned."""
    stats = {name: collection for name, collection in variables.items() if name != "params"}
    return Net(variables["params"], stats, tx.init(variables["params"]))


def descend(net: Net, tx: optax.GradientTransformation, loss, *args):
    """One optimiser step. loss(params, stats, *args) -> scalar, (stats, metrics)."""
    (_, (stats, metrics)), grads = jax.value_and_grad(loss, has_aux=True)(net.params, net.stats, *args)
    updates, opt = tx.update(grads, net.opt, net.params)
    return Net(optax.apply_updates(net.params, updates), stats, opt), metrics


def descend_together(nets: dict[str, Net], tx: optax.GradientTransformation, loss, *args):
    """One optimiser step of several nets on one loss. loss({net: params}, *args) -> scalar, metrics."""
    params = {name: net.params for name, net in nets.items()}
    (_, metrics), grads = jax.value_and_grad(loss, has_aux=True)(params, *args)
    moved = {}
    for name, net in nets.items():
        updates, opt = tx.update(grads[name], net.opt, net.params)
        moved[name] = net.replace(params=optax.apply_updates(net.params, updates), opt=opt)
    return moved, metrics


def average(ema: Variables, net: Net, step, batch: int, half_life: float, ramp: float) -> Variables:
    """Exponential moving average of a net's weights and statistics.

    `half_life` is in images; at the start it is shortened to `ramp` times the images seen, so that the first average
    is not of noise. Source: arXiv:1710.10196, section 4, with the ramp of arXiv:1912.04958's code.
    """
    seen = batch * (step + 1).astype(jnp.float32)
    decay = 0.5 ** (batch / jnp.minimum(half_life, ramp * seen))
    return jax.tree.map(lambda old, new: new + decay * (old - new), ema, net.variables)


def optimizer(name: str, learning_rate: float, b1: float = 0.9, b2: float = 0.999) -> optax.GradientTransformation:
    """An optimiser by name, with Keras' constants: "adam" (epsilon 1e-7), "rmsprop" (rho 0.9), "sgd"."""
    makers = {
        "adam": lambda: optax.adam(learning_rate, b1, b2, eps=1e-7),
        "rmsprop": lambda: optax.rmsprop(learning_rate, decay=0.9, eps=1e-7),
        "sgd": lambda: optax.sgd(learning_rate),
    }
    return pick(makers, name, "optimizer")()
