"""StyleGAN2: any step of `genjax.tasks.adversarial`, and now and then one that evens out the generator's paths.

Source: arXiv:1912.04958.
"""

from functools import partial

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.update import accumulated_gradient_step, gradient_step
from genjax.errors import InputError
from genjax.nets import contracts, progan, stylegan2
from genjax.ops import noise
from genjax.ops.pixels import to_float
from genjax.tasks import sampling
from genjax.tasks.adversarial import step as adversarial
from genjax.tasks.adversarial import validation
from genjax.tasks.adversarial.step import Players, ignoring_step

GENERATORS = {"stylegan2": stylegan2.Generator}
CRITICS = {"stylegan2": stylegan2.Critic}


def config() -> ConfigDict:
    """Every key of a StyleGAN2's config with its default, locked."""
    c = adversarial.config(task="stylegan2")
    c.latent = 512
    c.generator = ConfigDict({"net": "stylegan2"})  # further keys: the fields of genjax.nets.<net>.Generator
    c.critic = ConfigDict({"net": "stylegan2"})
    c.path_length = ConfigDict(
        {
            "weight": 2.0,  # 0: no such updates
            "interval": 4,  # steps between them; each counts as many times
            "share": 0.5,  # of a batch that they are made on
            "decay": 0.01,  # how fast the mean length follows
        }
    )
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A StyleGAN2 for images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    generator = construct(
        GENERATORS, c.generator, "generator", contracts.StyleGenerator.check, shape=tuple(shape), remat=c.remat
    )
    critic = construct(CRITICS, c.critic, "critic", contracts.StyleCritic.check, remat=c.remat)
    progan.check_stages("critic", shape, critic.channels)
    validation.validate(c, generator, critic, shape)
    validation.reject_unused(c, ("classes", "packing", "loss.feature_matching"), "these nets")
    _refuse(c)
    players = [computing_in(c.dtype, net.apply) for net in (generator, critic)]
    game = Players(*map(ignoring_step, players), lambda x, step: to_float(x, generator.output))
    play = adversarial.make_step(c, game, shape, c.batch)
    tx = adversarial.optimizers(c)["generator"]

    def init(key):
        keys = jax.random.split(key)
        nets = generator.init(keys[0], jnp.zeros((1, c.latent))), critic.init(keys[1], jnp.zeros((1, *shape)))
        state = adversarial.first_state(c, *nets, shape)
        return state.replace(extra=state.extra | ({"path_length": jnp.float32(0)} if c.path_length.weight else {}))

    def path_lengths(params, stats, key):
        """How far images move with their styles: |J^T y| for images y of noise, a root mean square over layers.

        Shapes: -> [batch * share / accumulate].
        """
        k_z, k_styles, k_noise, k_y = jax.random.split(key, 4)
        count, variables = round(c.batch * c.path_length.share / c.grad_accum_steps), {"params": params, **stats}
        z = noise.normal(k_z, count, (c.latent,))
        ws, stats = players[0](variables, z, k_styles, method="styles_in_training", mutable=list(stats))
        y = noise.normal(k_y, count, shape) / (shape[0] * shape[1]) ** 0.5
        _, pull = jax.vjp(lambda ws: players[0](variables, ws, k_noise, method="synthesize"), ws)
        return jnp.sqrt(jnp.sum(pull(y)[0] ** 2, 2).mean(1) + 1e-12), stats

    def unevenness(params, stats, mean, key):
        """The mean squared deviation of path lengths from their running mean (eq. 4), times weight and interval."""
        lengths, stats = path_lengths(params, stats, key)
        mean += c.path_length.decay * (lengths.mean() - mean)
        value = jnp.mean((lengths - mean) ** 2)
        metrics = {"generator/path_length": lengths.mean(), "generator/unevenness": value, "mean": mean}
        return c.path_length.weight * c.path_length.interval * value, (stats, metrics)

    def evened(net, mean, key):
        """The generator after an update for its path lengths, and what there is to say of them."""
        if c.grad_accum_steps == 1:
            return gradient_step(net, tx, unevenness, mean, key)
        of_part = lambda params, stats, key: unevenness(params, stats, mean, key)  # noqa: E731
        return accumulated_gradient_step(net, tx, of_part, jax.random.split(key, c.grad_accum_steps))

    def step(state, batch, key):
        """A step of the game, and at every so many one more update of the generator. The average sees that the next."""
        due = state.step % c.path_length.interval == 0
        state, metrics = play(state, batch, key)
        net, mean = state.nets["generator"], state.extra["path_length"]
        key = jax.random.fold_in(key, 2)  # `play` has split it in two
        even = partial(evened, key=key)
        names = "generator/path_length", "generator/unevenness"
        as_it_is = lambda net, mean: (net, dict.fromkeys(names, jnp.zeros_like(mean)) | {"mean": mean})  # noqa: E731
        net, more = jax.lax.cond(due, even, as_it_is, net, mean)
        extra = state.extra | {"path_length": more.pop("mean")}
        return state.replace(nets=state.nets | {"generator": net}, extra=extra), metrics | more

    def image(variables, ws, state, noise):
        return generator.apply(variables, ws, noise, method="synthesize")

    phase = Phase("train", c.steps, c.batch, step if c.path_length.weight else play, batches_per_step=c.critic_steps)
    return Task(init, (phase,), sampling.style_outputs(generator, image, c.latent))


def _refuse(c):
    """Raise InputError for what path lengths cannot be."""
    given = c.path_length
    if min(given.weight, given.interval - 1) < 0 or not 0 < given.share <= 1 or not 0 < given.decay <= 1:
        raise InputError(
            f"path_length: weight={given.weight}, interval={given.interval}, share={given.share}, decay={given.decay}: "
            "expected a weight of 0 or more, an interval of at least 1, a share and a decay above 0 and up to 1"
        )
    if given.weight and round(c.batch * given.share / c.grad_accum_steps) < 1:
        raise InputError(
            f"path_length.share={given.share} of batch={c.batch} is no example in each of grad_accum_steps={c.grad_accum_steps} "
            "parts: expected at least one"
        )
