"""Plain Flax: its own layers, optax, one `jit` per step, dispatched without waiting."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from experiments.benchmarks.layers import Net, Workload
from experiments.benchmarks.peers import Runner

ACTIVATIONS = {
    "linear": lambda x: x,
    "selu": nn.selu,
    "leaky_relu": lambda x: nn.leaky_relu(x, 0.2),
    "sigmoid": nn.sigmoid,
    "tanh": jnp.tanh,
}


class Stack(nn.Module):
    """A net of a workload, in training mode."""

    net: Net

    @nn.compact
    def __call__(self, x):
        """Apply to x."""
        init = nn.initializers.glorot_uniform()
        for layer in self.net.layers:
            window = {"strides": (layer.stride,) * 2, "padding": layer.padding, "kernel_init": init}
            match layer.kind:
                case "dense":
                    x = nn.Dense(layer.features, kernel_init=init)(x)
                case "conv":
                    x = nn.Conv(layer.features, (layer.kernel,) * 2, **window)(x)
                case "transposed":
                    x = nn.ConvTranspose(layer.features, (layer.kernel,) * 2, **window)(x)
                case "pool":
                    x = nn.max_pool(x, (2, 2), (2, 2))
                case "batch_norm":
                    x = nn.BatchNorm(use_running_average=False, momentum=0.99, epsilon=1e-3)(x)
                case "dropout":
                    x = nn.Dropout(layer.rate, deterministic=not layer.rate)(x)
                case "reshape":
                    x = x.reshape(-1, *layer.to)
                case "flatten":
                    x = x.reshape(len(x), -1)
            x = ACTIVATIONS[layer.activation](x)
        return x


def build(workload: Workload, variant: str, images) -> Runner:
    """One `jit` per step; WGAN-GP has one for the critic, called five times, and one for the generator."""
    nets = {name: Stack(net) for name, net in workload.nets.items()}
    variables = {
        name: net.init({"params": jax.random.key(i), "dropout": jax.random.key(i)}, jnp.zeros((1, *net.net.shape)))
        for i, (name, net) in enumerate(nets.items())
    }
    params = {name: v["params"] for name, v in variables.items()}
    stats = {name: {k: v for k, v in vs.items() if k != "params"} for name, vs in variables.items()}
    tx = _optimizer(**workload.optimizer)
    count = {name: sum(leaf.size for leaf in jax.tree.leaves(p)) for name, p in params.items()}
    state = {"key": jax.random.key(0), "data": jnp.asarray(images()), "params": params, "stats": stats}
    steps = _gan(workload, nets, tx) if workload.kind == "gan" else _reconstruct(workload, nets, tx)
    opt = {name: tx.init(p) for name, p in params.items()} if workload.kind == "gan" else tx.init(params)
    state["opt"] = opt

    def run(n):
        nonlocal state
        for _ in range(n):
            losses = {}
            for step in steps:
                state, more = step(state)
                losses |= more
        return {name: float(value) for name, value in jax.block_until_ready((losses, state))[0].items()}

    return Runner(count, run)


def _optimizer(name, learning_rate, b1=0.9, b2=0.999):
    if name == "adam":
        return optax.adam(learning_rate, b1, b2, eps=1e-7)
    return optax.rmsprop(learning_rate, 0.9, 1e-7) if name == "rmsprop" else optax.sgd(learning_rate)


def _batch(workload, state, key):
    return state["data"][jax.random.randint(key, (workload.batch,), 0, len(state["data"]))]


def _gan(workload, nets, tx):
    generator, critic = nets["generator"], nets["critic"]

    def generate(params, stats, key):
        z = jax.random.normal(key, (workload.batch, workload.latent))
        return generator.apply({"params": params, **stats}, z, mutable=list(stats))

    def logits(params, x, key):
        return critic.apply({"params": params}, x, rngs={"dropout": key})[:, 0]

    def critic_loss(params, real, fake, key):
        k_critic, k_mix = jax.random.split(key)
        on_real, on_fake = jnp.split(logits(params, jnp.concatenate([real, fake]), k_critic), 2)
        if workload.loss == "non_saturating":
            return (nn.softplus(-on_real).mean() + nn.softplus(on_fake).mean()) / 2
        mix = real + jax.random.uniform(k_mix, (workload.batch, 1, 1, 1)) * (fake - real)
        slope = jax.grad(lambda x: logits(params, x, k_critic).sum())(mix)
        norm = jnp.sqrt((slope**2).sum((1, 2, 3)) + 1e-12)
        return on_fake.mean() - on_real.mean() + workload.penalty * ((norm - 1) ** 2).mean()

    def generator_loss(params, stats, critic_params, key):
        k_z, k_critic = jax.random.split(key)
        fake, stats = generate(params, stats, k_z)
        on_fake = logits(critic_params, fake, k_critic)
        return (nn.softplus(-on_fake) if workload.loss == "non_saturating" else -on_fake).mean(), stats

    def update(state, name, grads):
        updates, opt = tx.update(grads, state["opt"][name], state["params"][name])
        params = optax.apply_updates(state["params"][name], updates)
        return state | {"params": state["params"] | {name: params}, "opt": state["opt"] | {name: opt}}

    def critic_step(state):
        key, k_batch, k_z, k_loss = jax.random.split(state["key"], 4)
        fake, _ = generate(state["params"]["generator"], state["stats"]["generator"], k_z)
        real = _batch(workload, state, k_batch)
        loss, grads = jax.value_and_grad(critic_loss)(state["params"]["critic"], real, fake, k_loss)
        return update(state, "critic", grads) | {"key": key}, {"critic/loss": loss}

    def generator_step(state):
        key, k_loss = jax.random.split(state["key"])
        at = state["params"]["generator"], state["stats"]["generator"], state["params"]["critic"], k_loss
        (loss, stats), grads = jax.value_and_grad(generator_loss, has_aux=True)(*at)
        state = update(state, "generator", grads)
        return state | {"key": key, "stats": state["stats"] | {"generator": stats}}, {"generator/loss": loss}

    def step(state):
        state, losses = critic_step(state)
        state, more = generator_step(state)
        return state, losses | more

    if workload.critic_steps == 1:
        return [_jit(step)]
    return [_jit(critic_step)] * workload.critic_steps + [_jit(generator_step)]


def _reconstruct(workload, nets, tx):
    def loss(params, x, key):
        code = nets["encoder"].apply({"params": params["encoder"]}, x)
        divergence = 0.0
        if workload.kind == "vae":
            mean, log_var = jnp.split(code, 2, axis=-1)
            code = mean + jnp.exp(log_var / 2) * jax.random.normal(key, mean.shape)
            divergence = -0.5 * (1 + log_var - mean**2 - jnp.exp(log_var)).sum(-1).mean() / x[0].size
        logits = nets["decoder"].apply({"params": params["decoder"]}, code)
        return optax.sigmoid_binary_cross_entropy(logits, x).mean() + divergence

    def step(state):
        key, k_batch, k_loss = jax.random.split(state["key"], 3)
        x = _batch(workload, state, k_batch)
        value, grads = jax.value_and_grad(loss)(state["params"], x, k_loss)
        updates, opt = tx.update(grads, state["opt"], state["params"])
        params = optax.apply_updates(state["params"], updates)
        return state | {"key": key, "params": params, "opt": opt}, {"loss": value}

    return [_jit(step)]


def _jit(step):
    """The step compiled, its state donated except the data."""
    inner = jax.jit(lambda data, rest: _without(step({"data": data, **rest})), donate_argnums=1)

    def call(state):
        data = state.pop("data")
        rest, losses = inner(data, state)
        return {"data": data, **rest}, losses

    return call


def _without(result):
    state, losses = result
    return {name: value for name, value in state.items() if name != "data"}, losses
