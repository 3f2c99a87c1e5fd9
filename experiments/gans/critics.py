"""Critics trained to near optimality between fixed distributions, all of one kind in one vmapped program."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from genjax.engine import compiler
from genjax.engine.state import stream
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.losses.adversarial import LOSSES
from genjax.losses.penalty import gradient_penalty


class Kind(NamedTuple):
    """A critic's loss, its constraint and how it is trained."""

    loss: str
    penalty: float = 0.0  # weight of the gradient penalty
    clip: float = 0.0  # bound on every parameter; 0: none
    rate: float = 1e-3  # learning rate, decays linearly to zero
    optimizer: str = "adam"
    b1: float = 0.5
    b2: float = 0.9
    cut: bool = False  # clip initial weights to the bound, instead of scaling them to fit


def train(kind: Kind, net: nn.Module, draw: Callable, distributions: Any, seeds: int, steps: int) -> tuple[Any, Any]:
    """The parameters of one critic per distribution and seed, before and after training.

    draw(distribution, key) -> real, fake [B, ...]. Under clipping, the initial weights are scaled to within the bound,
    by one factor per tensor, so that weights at the bound were brought there by training. `cut` clips them instead, as
    algorithms do that clip after the first update.
    Shapes: distributions: leaves [D, ...] -> leaves [D, seeds, ...].
    """
    keys = jnp.stack([stream(seed, "train") for seed in range(seeds)])
    # The weight is traced, so that kinds that differ only in it share one compilation.
    return _compiled()(
        kind._replace(penalty=float(kind.penalty > 0)), net, draw, steps, kind.penalty, distributions, keys
    )


@cache
def _compiled():
    return jax.jit(_train, static_argnums=(0, 1, 2, 3), compiler_options=compiler.options())


def _train(kind, net, draw, steps, weight, distributions, keys):
    schedule = {"decay": steps, "weight_clip": kind.clip, "b1": kind.b1, "b2": kind.b2}
    tx = optimizer(kind.optimizer, kind.rate, **schedule)

    def loss(params, stats, real, fake, key):
        def critic(x):
            return net.apply({"params": params}, x)

        value = LOSSES[kind.loss].critic(critic(real), critic(fake))
        if kind.penalty:
            value += weight * gradient_penalty(critic, real, fake, key)
        return value, (stats, {})

    def fit(w):
        if kind.cut:
            return jnp.clip(w, -kind.clip, kind.clip)
        return w * jnp.minimum(1, kind.clip / jnp.maximum(jnp.abs(w).max(), 1e-12))

    def init(distribution, key):
        k_net, k_draw = jax.random.split(key)
        params = net.init(k_net, draw(distribution, k_draw)[0])["params"]
        return init_net({"params": jax.tree.map(fit, params) if kind.clip else params}, tx)

    def run(distribution, key):
        first = init(distribution, jax.random.fold_in(key, 0))

        def step(critic, number):
            k_draw, k_mix = jax.random.split(jax.random.fold_in(key, 1 + number))
            return gradient_step(critic, tx, loss, *draw(distribution, k_draw), k_mix)[0], None

        last, _ = jax.lax.scan(step, first, jnp.arange(steps))
        return first.params, last.params

    return jax.vmap(jax.vmap(run, (None, 0)), (0, None))(distributions, keys)
