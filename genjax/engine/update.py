"""Optimizer steps: of one net, over microbatches, of several nets; and the moving average of weights.

A loss returns a scalar and (stats, aux): the updated statistics of the net, and any tree of scalars such as metrics.
"""

import jax
import jax.numpy as jnp
import optax

from genjax.config import pick
from genjax.engine.state import Net, Variables
from genjax.errors import InputError
from genjax.text import split_list


def init_net(variables: Variables, tx: optax.GradientTransformation) -> Net:
    """A net at step 0, from the variables that a Linen module's `init` returned."""
    stats = {name: collection for name, collection in variables.items() if name != "params"}
    return Net(variables["params"], stats, tx.init(variables["params"]))


def gradient_step(net: Net, tx: optax.GradientTransformation, loss, *args):
    """One optimizer step on loss(params, stats, *args) -> scalar, (stats, aux). Returns the net and aux."""
    (_, (stats, aux)), grads = jax.value_and_grad(loss, has_aux=True)(net.params, net.stats, *args)
    updates, opt = tx.update(grads, net.opt, net.params)
    return Net(optax.apply_updates(net.params, updates), stats, opt), aux


def accumulated_gradient_step(net: Net, tx: optax.GradientTransformation, loss, parts):
    """One optimizer step on the mean gradient over microbatches, which are computed one after the other.

    `parts` is a tree of arrays [count, ...]; loss(params, stats, part) -> scalar, (stats, aux). Statistics are passed
    from one microbatch to the next. Returns the net and the mean of aux.
    """

    def add(carry, part):
        stats, total = carry
        (_, (stats, aux)), grads = jax.value_and_grad(loss, has_aux=True)(net.params, stats, part)
        return (stats, jax.tree.map(jnp.add, total, grads)), aux

    start = net.stats, jax.tree.map(jnp.zeros_like, net.params)
    (stats, total), aux = jax.lax.scan(add, start, parts)
    count = len(jax.tree.leaves(parts)[0])
    updates, opt = tx.update(jax.tree.map(lambda g: g / count, total), net.opt, net.params)
    return Net(optax.apply_updates(net.params, updates), stats, opt), jax.tree.map(lambda a: a.mean(0), aux)


def split_microbatches(batch, count: int):
    """A tree of batches as microbatches, each spread evenly over all devices: example i is in microbatch i % count.

    Shapes: [B, ...] -> [count, B / count, ...].
    """
    return jax.tree.map(lambda x: jnp.moveaxis(x.reshape(-1, count, *x.shape[1:]), 1, 0), batch)


def merge_microbatches(parts):
    """The inverse of `split_microbatches`. Shapes: [count, B / count, ...] -> [B, ...]."""
    return jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1).reshape(-1, *x.shape[2:]), parts)


def joint_gradient_step(nets: dict[str, Net], tx: optax.GradientTransformation, loss, *args):
    """One optimizer step of several nets on one loss. loss({net: params}, *args) -> scalar, metrics."""
    params = {name: net.params for name, net in nets.items()}
    (_, metrics), grads = jax.value_and_grad(loss, has_aux=True)(params, *args)
    updated = {}
    for name, net in nets.items():
        updates, opt = tx.update(grads[name], net.opt, net.params)
        updated[name] = net.replace(params=optax.apply_updates(net.params, updates), opt=opt)
    return updated, metrics


def update_ema(ema: Variables, net: Net, step, batch: int, half_life: float, ramp: float) -> Variables:
    """Exponential moving average of a net's weights and statistics.

    `half_life` is in images. It is at most `ramp` times the number of images so far, so that the average soon forgets
    the first weights; infinity: no bound. Source: arXiv:1710.10196, section 4, with the ramp of arXiv:2006.06676's
    code.
    """
    images = batch * (step + 1).astype(jnp.float32)
    decay = 0.5 ** (batch / jnp.minimum(half_life, ramp * images))
    return jax.tree.map(lambda old, new: new + decay * (old - new), ema, net.variables)


def optimizer(
    name: str,
    learning_rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    epsilon: float = 1e-7,
    decay: int = 0,
    decay_after: int = 0,
    weight_clip: float = 0.0,
    differentiable: bool = False,
    frozen: str = "",
) -> optax.GradientTransformation:
    """An optimizer by name, with the constants of Keras: "adam", "rmsprop" (rho 0.9), "sgd".

    After `decay_after` updates the learning rate falls linearly to zero, over `decay` updates; with decay 0 it is
    constant. `weight_clip` bounds the absolute value of all parameters; 0: no bound. `differentiable` makes square
    roots of Adam differentiable at zero. `frozen` are the modules that no update changes, "Conv_0,Block_0"; they have
    no optimizer state.
    Raises: InputError for an unknown name, and negative numbers.
    """
    options = {"learning_rate": learning_rate, "epsilon": epsilon, "decay": decay, "weight_clip": weight_clip}
    options["decay_after"] = decay_after
    for key, value in options.items():
        if value < 0:
            raise InputError(f"{key}={value}: expected 0 or more")
    rate = optax.linear_schedule(learning_rate, 0.0, decay, decay_after) if decay else learning_rate
    root = 1e-16 if differentiable else 0.0
    makers = {
        "adam": lambda: optax.adam(rate, b1, b2, eps=epsilon, eps_root=root),
        "rmsprop": lambda: optax.rmsprop(rate, decay=0.9, eps=epsilon),
        "sgd": lambda: optax.sgd(rate),
    }
    tx = pick(makers, name, "optimizer")()
    tx = optax.chain(tx, clip_weights(weight_clip)) if weight_clip else tx
    return frozen_modules(tx, split_list(frozen)) if frozen else tx


def frozen_modules(tx: optax.GradientTransformation, modules: list[str]) -> optax.GradientTransformation:
    """`tx` for all parameters but those below some modules, as "mapping" or "mapping/dense_0", which stay.

    Source: arXiv:2002.10964 (FreezeD), of a critic's first layers.
    Raises: InputError when a module has no parameters.
    """

    def labels(params):
        names = jax.tree_util.tree_map_with_path(lambda path, _: "/".join(key.key for key in path) + "/", params)
        for module in modules:
            if not any(name.startswith(f"{module}/") for name in jax.tree.leaves(names)):
                there = sorted({name.split("/")[0] for name in jax.tree.leaves(names)})
                raise InputError(f"frozen={module!r}: the net has no such module; it has {', '.join(there)}")
        below = tuple(f"{module}/" for module in modules)
        return jax.tree.map(lambda name: "frozen" if name.startswith(below) else "free", names)

    return optax.multi_transform({"free": tx, "frozen": optax.set_to_zero()}, labels)


def clip_weights(limit: float) -> optax.GradientTransformation:
    """Clip every parameter to [-limit, limit] after the update; it comes last in a chain.

    Weights within the bounds are unchanged. Others are clipped slightly inside the bounds, because the update is a
    difference that is added back in float32.
    Source: arXiv:1701.07875, algorithm 1, line 7.
    """

    def clip(update, weight):
        updated = weight + update
        rounding = 4 * jnp.finfo(weight.dtype).eps * jnp.maximum(jnp.abs(weight), limit)
        bound = jnp.maximum(limit - rounding, 0)
        return jnp.where(jnp.abs(updated) <= bound, update, jnp.clip(updated, -bound, bound) - weight)

    return optax.stateless(lambda updates, params: jax.tree.map(clip, updates, params))
