"""Greedy layer-wise training: one shallow autoencoder at a time, each on the latents of those before it.

Source: Bengio et al., "Greedy Layer-Wise Training of Deep Networks" (NIPS 2006), section 4, on autoencoders.
"""

from itertools import pairwise

import jax
import jax.numpy as jnp
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
    c = defaults(task="greedy")  # steps: of each layer
    c.eval.metrics = "reconstruction"
    c.widths = (100, 30)  # of the layers, one phase each
    c.activation = "selu"
    c.kernel_init = "glorot"
    c.optimizer = ConfigDict({"name": "adam", "learning_rates": (1e-3, 1e-3), "b1": 0.9, "b2": 0.999})  # one a layer
    c.finetune = ConfigDict({"steps": 0, "learning_rate": 1e-3})  # of all layers together, afterwards; 0: no such phase
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A stack of shallow autoencoders of images of one shape, from its config: a net and a phase for each layer.

    The first restores pixels (sigmoid, binary cross-entropy), each other one the latents below it (their activation,
    squared error). The stack is the composition: all encoders up, all decoders down.
    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    pick(ACTIVATIONS, c.activation, "activation")
    pick(INITIALIZERS, c.kernel_init, "kernel_init")
    rates = c.optimizer.learning_rates
    if len(shape) != 3:
        raise InputError(f"layers restore pixels first, but the data have shape {list(shape)}: expected images")
    if not c.widths or min(c.widths) < 1 or len(rates) != len(c.widths):
        raise InputError(
            f"widths={c.widths}, optimizer.learning_rates={rates}: expected at least one width and a rate for each"
        )
    if c.finetune.steps < 0:
        raise InputError(f"finetune.steps={c.finetune.steps}: expected 0 (none) or more")

    names = [f"layer_{i + 1}" for i in range(len(c.widths))]
    shapes = (tuple(shape), *((width,) for width in c.widths))
    nets = {
        name: Dense(below, above, c.activation, kernel_init=c.kernel_init)
        for name, (below, above) in zip(names, pairwise(shapes), strict=True)
    }
    exact = {name: net.apply for name, net in nets.items()}  # as results are computed: in float32
    apply = {name: computing_in(c.dtype, f) for name, f in exact.items()}
    common = {key: value for key, value in c.optimizer.items() if key != "learning_rates"}
    tx = {name: optimizer(learning_rate=rate, **common) for name, rate in zip(names, rates, strict=True)}
    tx_all = optimizer(learning_rate=c.finetune.learning_rate, **common)

    def init(key):
        keys = jax.random.split(key, len(names))
        variables = (nets[n].init(k, jnp.zeros((1, *s))) for n, k, s in zip(names, keys, shapes[:-1], strict=True))
        return State(jnp.int32(0), {n: init_net(v, tx[n]) for n, v in zip(names, variables, strict=True)}, {}, {})

    def up(params, x, layers, apply=apply):
        for name in layers:
            x = apply[name]({"params": params[name]}, x, method="encode")
        return x

    def down(params, z, layers, apply=apply):
        """Before the activation of what the lowest of the layers restores."""
        for name in reversed(layers):
            z = apply[name]({"params": params[name]}, z, method="decode")
            z = ACTIVATIONS[c.activation](z) if name != layers[0] else z
        return z

    def shallow(name, below):
        """The phase of one layer: no other changes."""
        output, loss = ("linear", bce) if name == names[0] else (c.activation, mse)

        def total(params, stats, x):
            y = apply[name]({"params": params}, apply[name]({"params": params}, x, method="encode"), method="decode")
            value = mean(loss, ACTIVATIONS[output](y), x)
            return value, (stats, {f"{name}/loss": value})

        def step(state, batch, key):
            """One update of one layer, on the latents of those below it."""
            x = up(_params(state), to_float(batch["x"][0], "sigmoid"), below)
            trained, metrics = gradient_step(state.nets[name], tx[name], total, x)
            return state.replace(step=state.step + 1, nets=state.nets | {name: trained}), metrics

        return Phase(name, c.steps, c.batch, step)

    def stacked(params, x):
        value = mean(bce, down(params, up(params, x, names), names), x)
        return value, {"finetune/loss": value}

    def finetune(state, batch, key):
        """One update of the whole stack."""
        trained, metrics = joint_gradient_step(state.nets, tx_all, stacked, to_float(batch["x"][0], "sigmoid"))
        return state.replace(step=state.step + 1, nets=trained), metrics

    def afresh(state, key):
        """Each layer with its optimizer at the start."""
        return state.replace(nets={name: net.replace(opt=tx_all.init(net.params)) for name, net in state.nets.items()})

    def encode(state, x):
        """Latents of the last layer. Shapes: x uint8 [N, *shape] -> [N, widths[-1]]."""
        return up(_params(state), to_float(x, "sigmoid"), names, exact)

    def decode(state, z, ema=True):
        """Images of latents, pixels from 0 to 255 and not rounded. Shapes: z [N, widths[-1]] -> [N, *shape]."""
        return to_pixels(jax.nn.sigmoid(down(_params(state), z, names, exact)), "sigmoid")

    def reconstruct(state, x):
        """Reconstructions by the whole stack, pixels from 0 to 255, not rounded. Shapes: x [N, *shape], kept."""
        return decode(state, encode(state, x))

    phases = [shallow(name, names[:i]) for i, name in enumerate(names)]
    if c.finetune.steps:
        phases.append(Phase("finetune", c.finetune.steps, c.batch, finetune, enter=afresh))
    return Task(init, tuple(phases), {"encode": encode, "decode": decode, "reconstruct": reconstruct})


def _params(state: State) -> dict:
    return {name: net.params for name, net in state.nets.items()}
