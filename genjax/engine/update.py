"""One optimizer step, and the moving average that follows it."""

import jax
import jax.numpy as jnp
import optax

from genjax.config import pick
from genjax.engine.state import Net, Variables
from genjax.errors import InputError


def init_net(variables: Variables, tx: optax.GradientTransformation) -> Net:
    """A net about to be trained, from what a Linen module's `init` returned."""
    stats = {name: collection for name, collection in variables.items() if name != "params"}
    return Net(variables["params"], stats, tx.init(variables["params"]))


def gradient_step(net: Net, tx: optax.GradientTransformation, loss, *args):
    """One optimizer step. loss(params, stats, *args) -> scalar, (stats, metrics)."""
    (_, (stats, metrics)), grads = jax.value_and_grad(loss, has_aux=True)(net.params, net.stats, *args)
    updates, opt = tx.update(grads, net.opt, net.params)
    return Net(optax.apply_updates(net.params, updates), stats, opt), metrics


def accumulated_gradient_step(net: Net, tx: optax.GradientTransformation, loss, parts):
    """One optimizer step on the mean gradient over parts of a batch, which are worked on one after the other.

    `parts` is a tree of arrays [parts, ...]; loss(params, stats, part) -> scalar, (stats, metrics). Statistics go from
    part to part; metrics are their means.
    """

    def add(carry, part):
        stats, total = carry
        (_, (stats, metrics)), grads = jax.value_and_grad(loss, has_aux=True)(net.params, stats, part)
        return (stats, jax.tree.map(jnp.add, total, grads)), metrics

    start = net.stats, jax.tree.map(jnp.zeros_like, net.params)
    (stats, total), metrics = jax.lax.scan(add, start, parts)
    count = len(jax.tree.leaves(parts)[0])
    updates, opt = tx.update(jax.tree.map(lambda g: g / count, total), net.opt, net.params)
    return Net(optax.apply_updates(net.params, updates), stats, opt), jax.tree.map(lambda m: m.mean(0), metrics)


def split_microbatches(batch, count: int):
    """A tree of batches in parts that every device has as much of: example i is in part i % count.

    Shapes: [B, ...] -> [count, B / count, ...].
    """
    return jax.tree.map(lambda x: jnp.moveaxis(x.reshape(-1, count, *x.shape[1:]), 1, 0), batch)


def merge_microbatches(parts):
    """What `split_microbatches` cut. Shapes: [count, B / count, ...] -> [B, ...]."""
    return jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1).reshape(-1, *x.shape[2:]), parts)


def joint_gradient_step(nets: dict[str, Net], tx: optax.GradientTransformation, loss, *args):
    """One optimizer step of several nets on one loss. loss({net: params}, *args) -> scalar, metrics."""
    params = {name: net.params for name, net in nets.items()}
    (_, metrics), grads = jax.value_and_grad(loss, has_aux=True)(params, *args)
    moved = {}
    for name, net in nets.items():
        updates, opt = tx.update(grads[name], net.opt, net.params)
        moved[name] = net.replace(params=optax.apply_updates(net.params, updates), opt=opt)
    return moved, metrics


def update_ema(ema: Variables, net: Net, step, batch: int, half_life: float, ramp: float) -> Variables:
    """Exponential moving average of a net's weights and statistics.

    `half_life` is in images; at the start it is shortened to `ramp` times the images seen, so that the first average
    is not of noise. Source: arXiv:1710.10196, section 4, with the ramp of arXiv:1912.04958's code.
    """
    seen = batch * (step + 1).astype(jnp.float32)
    decay = 0.5 ** (batch / jnp.minimum(half_life, ramp * seen))
    return jax.tree.map(lambda old, new: new + decay * (old - new), ema, net.variables)


def optimizer(
    name: str,
    learning_rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    epsilon: float = 1e-7,
    decay: int = 0,
    weight_clip: float = 0.0,
    differentiable: bool = False,
) -> optax.GradientTransformation:
    """An optimizer by name, with Keras' constants: "adam", "rmsprop" (rho 0.9), "sgd".

    Over `decay` updates the learning rate falls in a straight line to zero; 0 leaves it. `weight_clip` is the box that
    all parameters are kept in, 0 for none. `differentiable` gives Adam's and RMSProp's root a slope at zero.
    Raises: InputError for an unknown name, and negative numbers.
    """
    for what, value in (
        ("learning_rate", learning_rate),
        ("epsilon", epsilon),
        ("decay", decay),
        ("weight_clip", weight_clip),
    ):
        if value < 0:
            raise InputError(f"{what}={value}: expected 0 or more")
    rate = optax.linear_schedule(learning_rate, 0.0, decay) if decay else learning_rate
    root = 1e-16 if differentiable else 0.0
    makers = {
        "adam": lambda: optax.adam(rate, b1, b2, eps=epsilon, eps_root=root),
        "rmsprop": lambda: optax.rmsprop(rate, decay=0.9, eps=epsilon),
        "sgd": lambda: optax.sgd(rate),
    }
    found = pick(makers, name, "optimizer")()
    return optax.chain(found, clip_weights(weight_clip)) if weight_clip else found


def clip_weights(limit: float) -> optax.GradientTransformation:
    """Bring every parameter back into [-limit, limit] after the update: it comes last in a chain.

    What is in the box is left alone. What is not is brought to its side less some rounding, since the update is a
    difference that is added again, and that of a far weight is coarse.
    Source: arXiv:1701.07875, algorithm 1, line 7.
    """

    def clip(update, weight):
        moved = weight + update
        rounding = 4 * jnp.finfo(weight.dtype).eps * jnp.maximum(jnp.abs(weight), limit)
        side = jnp.maximum(limit - rounding, 0)
        return jnp.where(jnp.abs(moved) <= side, update, jnp.clip(moved, -side, side) - weight)

    return optax.stateless(lambda updates, params: jax.tree.map(clip, updates, params))
