"""Critics trained against laws that stay as they are, many at once: what a generator would be told, near optimality."""

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
    clip: float = 0.0  # bound of every parameter; 0: none
    rate: float = 1e-3  # falls to zero in a straight line
    optimizer: str = "adam"
    b1: float = 0.5
    b2: float = 0.9
    cut: bool = False  # first weights outside of the box are cut off at its walls, not all scaled to fit


def train(kind: Kind, net: nn.Module, draw: Callable, laws: Any, seeds: int, steps: int) -> tuple[Any, Any]:
    """The parameters of one critic a law and seed, before and after training.

    draw(law, key) -> real, fake [B, ...]. Under clipping the first weights are scaled to fit into the box, one factor a
    tensor: what lies at its walls later was brought there by training. `cut` cuts them off instead, as algorithms do
    that clip after the first update.
    Shapes: laws: leaves [L, ...]; the result's leaves are [L, seeds, ...].
    """
    keys = jnp.stack([stream(seed, "train") for seed in range(seeds)])
    # The weight is traced, so that kinds that differ in it alone are compiled once.
    return _compiled()(kind._replace(penalty=float(kind.penalty > 0)), net, draw, steps, kind.penalty, laws, keys)


@cache
def _compiled():
    return jax.jit(_train, static_argnums=(0, 1, 2, 3), compiler_options=compiler.options())


def _train(kind, net, draw, steps, weight, laws, keys):
    schedule = {"decay": steps, "weight_clip": kind.clip, "b1": kind.b1, "b2": kind.b2}
    tx = optimizer(kind.optimizer, kind.rate, **schedule)

    def loss(params, stats, real, fake, key):
        judge = lambda x: net.apply({"params": params}, x)  # noqa: E731
        value = LOSSES[kind.loss].critic(judge(real), judge(fake))
        if kind.penalty:
            value += weight * gradient_penalty(judge, real, fake, key)
        return value, (stats, {})

    def fit(w):
        if kind.cut:
            return jnp.clip(w, -kind.clip, kind.clip)
        return w * jnp.minimum(1, kind.clip / jnp.maximum(jnp.abs(w).max(), 1e-12))

    def begin(law, key):
        k_net, k_draw = jax.random.split(key)
        params = net.init(k_net, draw(law, k_draw)[0])["params"]
        return init_net({"params": jax.tree.map(fit, params) if kind.clip else params}, tx)

    def run(law, key):
        first = begin(law, jax.random.fold_in(key, 0))

        def step(critic, number):
            k_draw, k_mix = jax.random.split(jax.random.fold_in(key, 1 + number))
            return gradient_step(critic, tx, loss, *draw(law, k_draw), k_mix)[0], None

        last, _ = jax.lax.scan(step, first, jnp.arange(steps))
        return first.params, last.params

    return jax.vmap(jax.vmap(run, (None, 0)), (0, None))(laws, keys)
