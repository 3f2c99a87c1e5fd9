"""genjax itself: the config's own task, in the loop that training runs."""

import importlib.util
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp

from experiments.benchmarks.layers import Net, Workload
from experiments.benchmarks.peers import Runner
from genjax import data as sources
from genjax import tasks
from genjax.config import defaults
from genjax.data.feed import Feed
from genjax.engine import loop
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import Phase, Task, scheduled_phases
from genjax.engine.state import State, stream
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.losses.reconstruction import bce
from genjax.nets.layers import ACTIVATIONS, INITIALIZERS, Conv, ConvTranspose
from genjax.ops import noise
from genjax.ops.arrays import flatten
from genjax.ops.pixels import to_float
from genjax.ops.pool import max_pool

CONFIGS = Path(__file__).parents[3] / "configs"
CALL = 50
"""Steps per call at most: the configs' log_every."""


def build(workload: Workload, variant: str, images) -> Runner:
    """The task in `loop.compile_phase`, fed as in `loop.train`; it reads the images itself, as bytes."""
    config = load_config(workload)
    if "bfloat16" in variant:
        config.dtype = "bfloat16"
    source = sources.load(config.data if config else defaults("").data)
    task = tasks.build(config, source.shape) if config else TASKS[workload.kind](workload)
    mesh, seed = make_mesh(), 0
    state = loop.initial_state(task, seed, mesh)
    (span,) = scheduled_phases(task)
    feed = Feed(source, seed, mesh, 2**30)
    call = loop.compile_phase(span.phase, feed.take_batch, mesh, CALL)
    batches = feed.batches(span, 0, CALL)
    grown = bool(config) and "growth" in config
    count = {name: _used(net.params, grown) for name, net in state.nets.items()}

    def run(steps):
        nonlocal state
        while steps:
            n = min(steps, CALL)
            with jax.set_mesh(mesh):
                state, metrics, _ = call(state, feed.resident_data, batches.take(n), n, stream(seed, "train"))
            metrics = jax.device_get(metrics)
            steps -= n
        return {name: float(rows[n - 1]) for name, rows in metrics.items() if "loss" in name}

    return Runner(count, run)


def _used(params, grown: bool) -> int:
    """Number of trained parameters, without the color layers of earlier stages, which grown nets do not use."""
    colors = sorted(name for name in params if "rgb" in name)[:-1] if grown else ()
    return sum(leaf.size for name, part in params.items() if name not in colors for leaf in jax.tree.leaves(part))


def load_config(workload: Workload):
    """The workload's config, with the workload's batch; None if there is none."""
    if not workload.config:
        return None
    spec = importlib.util.spec_from_file_location(workload.config, CONFIGS / f"{workload.config}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = module.get_config()
    config.batch = workload.batch
    config.update_from_flattened_dict(workload.overrides)
    return config


class Stack(nn.Module):
    """A net of a workload, of genjax's layers."""

    net: Net

    @nn.compact
    def __call__(self, x):
        """Apply to x."""
        for layer in self.net.layers:
            window = {"kernel_size": (layer.kernel,) * 2, "strides": (layer.stride,) * 2, "padding": layer.padding}
            match layer.kind:
                case "dense":
                    x = nn.Dense(layer.features, kernel_init=INITIALIZERS["glorot"])(x)
                case "conv":
                    x = Conv(layer.features, **window)(x)
                case "transposed":
                    x = ConvTranspose(layer.features, **window)(x)
                case "pool":
                    x = max_pool(x)
            x = ACTIVATIONS[layer.activation](x)
        return x


def autoencoder(workload: Workload) -> Task:
    """Images through a bottleneck: cross-entropy of their pixels."""

    def loss(nets, params, x, key):
        logits = nets["decoder"].apply({"params": params["decoder"]}, encode(nets, params, x))
        return bce(flatten(logits), flatten(x)).mean()

    return _reconstruct(workload, loss)


def vae(workload: Workload) -> Task:
    """Images through a noisy bottleneck: cross-entropy of their pixels and the divergence from N(0, 1), per pixel."""

    def loss(nets, params, x, key):
        mean, log_var = jnp.split(encode(nets, params, x), 2, axis=-1)
        z = mean + jnp.exp(log_var / 2) * noise.normal(key, workload.batch, (workload.latent,))
        logits = nets["decoder"].apply({"params": params["decoder"]}, z)
        divergence = -0.5 * (1 + log_var - mean**2 - jnp.exp(log_var)).sum(-1).mean()
        return bce(flatten(logits), flatten(x)).mean() + divergence / x[0].size

    return _reconstruct(workload, loss)


def encode(nets, params, x):
    """The encoder's output for x."""
    return nets["encoder"].apply({"params": params["encoder"]}, x)


def _reconstruct(workload: Workload, loss) -> Task:
    nets = {name: Stack(net) for name, net in workload.nets.items()}
    tx = optimizer(**workload.optimizer)

    def init(key):
        params = {name: net.init(key, jnp.zeros((1, *net.net.shape)))["params"] for name, net in nets.items()}
        return State(jnp.int32(0), {"ae": init_net({"params": params}, tx)}, {}, {})

    def step(state, batch, key):
        x = to_float(batch["x"][0], "sigmoid").reshape(-1, *workload.shape)

        def value(params, stats):
            value = loss(nets, params, x, key)
            return value, (stats, {"loss": value})

        net, metrics = gradient_step(state.nets["ae"], tx, value)
        return State(state.step + 1, {"ae": net}, {}, {}), metrics

    return Task(init, (Phase("train", 10**9, workload.batch, step),))


TASKS = {"autoencoder": autoencoder, "vae": vae}
