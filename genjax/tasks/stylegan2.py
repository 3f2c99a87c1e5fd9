"""StyleGAN2: any step of `genjax.tasks.adversarial`, and every few steps one of path length regularization.

Source: arXiv:1912.04958.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.engine.phase import Batch, Metrics, Phase, Step, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import Key, Net, State, Variables
from genjax.engine.update import accumulated_gradient_step, gradient_step, split_microbatches
from genjax.errors import InputError
from genjax.nets import contracts, doubling, stylegan2
from genjax.ops import noise
from genjax.ops.pixels import to_float
from genjax.tasks import sampling
from genjax.tasks.adversarial import Players, Setup, base_config, ignoring_step, init_state, make_step, validation
from genjax.tasks.adversarial.inputs import real_batch
from genjax.tasks.adversarial.keys import StepKeys, derive
from genjax.tasks.adversarial.step import copy_statistics

GENERATORS = {"stylegan2": stylegan2.Generator}
CRITICS = {"stylegan2": stylegan2.Critic}


def config() -> ConfigDict:
    """Every key of a StyleGAN2's config with its default, locked."""
    c = base_config(task="stylegan2")
    c.latent = 512
    c.generator = ConfigDict({"net": "stylegan2"})  # further keys: the fields of genjax.nets.<net>.Generator
    c.critic = ConfigDict({"net": "stylegan2"})
    c.path_length = ConfigDict(
        {
            "weight": 2.0,  # 0: no path length regularization
            "interval": 4,  # steps between its updates, which are scaled by it
            "share": 0.5,  # share of a batch per update
            "decay": 0.01,  # of the running mean length, per update
        }
    )
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A StyleGAN2 for images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    fixed = {"shape": tuple(shape), "remat": c.remat}
    generator = construct(GENERATORS, c.generator, "generator", contracts.StyleGenerator.check, **fixed)
    critic = construct(CRITICS, c.critic, "critic", contracts.StyleCritic.check, remat=c.remat)
    doubling.check_stages("critic", shape, critic.channels)
    validation.validate(c, generator, critic, shape)
    validation.reject_unused(c, ("packing", "loss.feature_matching"), "these nets")
    _check_path_length(c)
    apply = computing_in(c.dtype, generator.apply)
    players = Players(
        generator=ignoring_step(apply),
        critic=ignoring_step(computing_in(c.dtype, critic.apply)),
        preprocess_real=lambda x, step: to_float(x, generator.output),
    )
    setup = Setup.of(c, players, shape, c.batch)

    def init(key):
        keys = jax.random.split(key)
        class_onehot = jnp.zeros((1, c.classes)) if c.classes else None
        nets = (
            generator.init(keys[0], jnp.zeros((1, c.latent)), class_onehot=class_onehot),
            critic.init(keys[1], jnp.zeros((1, *shape)), class_onehot=class_onehot),
        )
        return state_of(c, *nets, shape)

    def image(variables, ws, state, noise):
        return generator.apply(variables, ws, noise, method="synthesize")

    step = make_step(setup)
    step = with_path_lengths(setup, apply, step) if c.path_length.weight else step
    phase = Phase("train", c.steps, c.batch, step, batches_per_step=c.critic_steps)
    outputs = sampling.style_outputs(generator, image, c.latent, c.classes, c.data.bits)
    return Task(init, (phase,), outputs, c.classes, 2 * len(generator.channels))


def state_of(c: ConfigDict, generator: Variables, critic: Variables, shape: tuple[int, ...]) -> State:
    """The state at step 0, from the variables of both nets."""
    state = init_state(c, generator, critic, shape)
    return state.replace(extra=state.extra | {"path_length": jnp.float32(0)}) if c.path_length.weight else state


class PathAux(NamedTuple):
    """Results of path length regularization besides its loss."""

    metrics: dict[str, jax.Array]
    mean: jax.Array  # [], the running mean length


def with_path_lengths(setup: Setup, apply: Callable, adversarial_step: Step) -> Step:
    """A step followed by path length regularization every `interval` steps, which the average includes a step later."""
    options = setup.config.path_length

    def step(state: State, batch: Batch, key: Key) -> tuple[State, Metrics]:
        due = state.step % options.interval == 0
        state, metrics = adversarial_step(state, batch, key)
        classes = path_classes(setup, batch, state.step)
        regularize = partial(regularize_paths, setup, apply, classes, key=derive(StepKeys, key).path_length)
        generator = state.nets["generator"]
        mean = state.extra["path_length"]
        generator, aux = jax.lax.cond(due, regularize, skip_paths, generator, mean)
        nets = state.nets | {"generator": generator}
        extra = state.extra | {"path_length": aux.mean}
        ema = copy_statistics(setup, state.ema, generator)
        return state.replace(nets=nets, ema=ema, extra=extra), metrics | aux.metrics

    return step


def path_count(setup: Setup) -> int:
    """The number of paths in a microbatch."""
    return round(setup.batch * setup.config.path_length.share / setup.config.grad_accum_steps)


def path_classes(setup: Setup, batch: Batch, step):
    """One-hots of the classes of all paths, those of the batch's first reals. Shapes: -> [paths, classes], or None."""
    class_onehot = real_batch(setup, batch, -1, step).class_onehot
    return None if class_onehot is None else class_onehot[: path_count(setup) * setup.config.grad_accum_steps]


def regularize_paths(setup: Setup, apply: Callable, classes, generator: Net, mean, key: Key) -> tuple[Net, PathAux]:
    """The generator after one update by its path lengths, of paths with these one-hots of classes, or None."""
    tx = setup.optimizers["generator"]
    loss = partial(path_length_loss, setup, apply, mean=mean)
    count = setup.config.grad_accum_steps
    if count == 1:
        return gradient_step(generator, tx, loss, (classes, key))
    return accumulated_gradient_step(
        generator, tx, loss, (split_microbatches(classes, count), jax.random.split(key, count))
    )


def skip_paths(generator: Net, mean) -> tuple[Net, PathAux]:
    """The same results at steps without regularization: metrics are 0."""
    zero = jnp.zeros_like(mean)
    return generator, PathAux({"generator/path_length": zero, "generator/unevenness": zero}, mean)


def path_length_loss(setup: Setup, apply: Callable, params, stats: Variables, part: tuple, *, mean):
    """The mean squared deviation of path lengths from their running mean (eq. 4), times weight and interval.

    `part` is the one-hots of the paths' classes, or None, and a key. Shapes: -> scalar, (stats, PathAux).
    """
    options = setup.config.path_length
    lengths, stats = path_lengths(setup, apply, params, stats, *part)
    mean += options.decay * (lengths.mean() - mean)
    value = jnp.mean((lengths - mean) ** 2)
    metrics = {"generator/path_length": lengths.mean(), "generator/unevenness": value}
    return options.weight * options.interval * value, (stats, PathAux(metrics, mean))


def path_lengths(setup: Setup, apply: Callable, params, stats: Variables, class_onehot, key: Key):
    """|J^T y| for images y of noise, J the Jacobian of images in their styles; a root mean square over layers.

    Shapes: class_onehot [paths, classes] or None -> [paths], and the generator's updated statistics.
    """
    shape = setup.shape
    k_z, k_styles, k_noise, k_y = jax.random.split(key, 4)
    count = path_count(setup)
    variables = {"params": params, **stats}
    z = noise.normal(k_z, count, (setup.config.latent,))
    options = {"class_onehot": class_onehot, "method": "styles_in_training", "mutable": list(stats)}
    ws, stats = apply(variables, z, k_styles, **options)
    y = noise.normal(k_y, count, shape) / (shape[0] * shape[1]) ** 0.5
    _, pull = jax.vjp(lambda ws: apply(variables, ws, k_noise, method="synthesize"), ws)
    return jnp.sqrt(jnp.sum(pull(y)[0] ** 2, 2).mean(1) + 1e-12), stats


def _check_path_length(c: ConfigDict) -> None:
    """Raise InputError for impossible values of `path_length`."""
    options = c.path_length
    if options.weight < 0 or options.interval < 1 or not 0 < options.share <= 1 or not 0 < options.decay <= 1:
        raise InputError(
            f"path_length: weight={options.weight}, interval={options.interval}, share={options.share}, "
            f"decay={options.decay}: expected a weight of 0 or more, an interval of at least 1, a share and a decay "
            "above 0 and up to 1"
        )
    if options.weight and round(c.batch * options.share / c.grad_accum_steps) < 1:
        raise InputError(
            f"path_length.share={options.share} of batch={c.batch} is no example in each of "
            f"grad_accum_steps={c.grad_accum_steps} microbatches: expected at least one"
        )
