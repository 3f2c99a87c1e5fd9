"""Unpaired image-to-image translation: two generators whose round trips come back, and two critics (CycleGAN).

An example is an image of each of two sets, A and B, as channels, which have nothing to do with each other
(`genjax.data.unpaired`). A step updates both generators together, then both critics, whose fakes are those that the
generators made before their update, exchanged with a pool of earlier ones. Source: arXiv:1703.10593; the order is that
of the authors' PyTorch code.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Batch, Metrics, Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import Key, Net, State, Variables
from genjax.engine.update import gradient_step, init_net, joint_gradient_step, optimizer, update_ema
from genjax.errors import InputError
from genjax.losses.adversarial import Adversarial
from genjax.nets import contracts
from genjax.ops.history import exchange
from genjax.ops.jitter import jitter
from genjax.ops.pixels import to_float
from genjax.tasks import translating
from genjax.tasks.adversarial.keys import derive
from genjax.tasks.adversarial.setup import find_loss
from genjax.tasks.translating import CRITICS, GENERATORS, Pixels

DIRECTIONS = ("to_b", "to_a")
"""Names of the generators, and of the outputs: images of A as images of B, and the reverse."""

ADVICE = (
    "set data.name to two sources of images, such as unpaired:folder:A,folder:B, or input_channels to those of an image"
)


class StepKeys(NamedTuple):
    """Keys of a step."""

    jitter: Key  # split over both sets
    noise: Key  # of dropout in the generators; split over their four calls
    critics: Key  # of dropout in the critics; split over the updates of both generators and of each critic
    pools: Key  # split over both sets


def config() -> ConfigDict:
    """Every key of an unpaired translation's config with its default, locked."""
    c = defaults(task="unpaired")
    c.data.name = "unpaired:class:Sneaker:fashion_mnist_10k,class:Ankle boot:fashion_mnist_10k"
    c.eval.metrics = "cycle"
    c.generator = ConfigDict({"net": "resnet"})  # both; further keys: the fields of its class in GENERATORS
    c.critic = ConfigDict({"net": "patchgan"})  # both
    c.input_channels = 0  # of an image of A, the first ones; 0: as data.name says
    c.loss = ConfigDict(
        {
            "name": "least_squares",  # of genjax.losses.adversarial.LOSSES, or "package.module:name"
            "adversarial": 1.0,  # weight in the generators' loss
            "cycle": 10.0,  # weight of the mean distance after a round trip, lambda (eq. 2)
            "identity": 0.5,  # share of lambda: of the mean distance of images of the target from their translations
        }
    )
    c.pool = 50  # earlier fakes of each set that the critics' fakes are exchanged with; 0: none
    c.jitter = 0  # pixels by which an image is enlarged before a random crop of its own size
    adam = {"name": "adam", "learning_rate": 2e-4, "b1": 0.5, "b2": 0.999, "epsilon": 1e-8}
    adam |= {"decay": 0, "decay_after": 0}  # in steps: the rate falls linearly over `decay`, after `decay_after`
    c.optimizer = ConfigDict({"generator": dict(adam), "critic": dict(adam)})
    c.ema = ConfigDict({"half_life": 0.0, "ramp": 0.05})  # of the generators, as in genjax.tasks.adversarial
    return c.lock()


class Setup(NamedTuple):
    """The static parts of a step."""

    config: ConfigDict
    image: tuple[int, ...]  # the shape of an image of either set
    output: str  # the range of the generators' images
    translate: Callable  # the generator's `apply`
    judge: Callable  # the critic's
    adversarial: Adversarial
    optimizers: Mapping[str, optax.GradientTransformation]  # "generator", "critic"


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """An unpaired translation for images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    channels = translating.need_input_channels(c, shape, ADVICE)
    generator = construct(GENERATORS, c.generator, "generator", contracts.Translator.check, colors=channels)
    critic = construct(CRITICS, c.critic, "critic", contracts.PatchCritic.check)
    _validate(c, generator, critic, shape, channels)
    setup = Setup(
        config=c,
        image=(*shape[:2], channels),
        output=generator.output,
        translate=computing_in(c.dtype, generator.apply),
        judge=computing_in(c.dtype, critic.apply),
        adversarial=find_loss(c),
        optimizers={name: optimizer(**options) for name, options in c.optimizer.items()},
    )

    def translation(name: str, first: int):
        def output(state, x):
            """Translations of one direction. Shapes: uint8 images [N, H, W, C], or pairs [N, H, W, 2C] -> float."""
            x = x[..., first : first + channels] if x.shape[-1] == 2 * channels else x
            variables = state.ema[name] if state.ema else state.nets[name].variables
            return translating.translated(generator, variables, x, Pixels(generator.output))

        return output

    phase = Phase("train", c.steps, c.batch, partial(step, setup))
    outputs = {name: translation(name, first) for name, first in zip(DIRECTIONS, (0, channels), strict=True)}
    return Task(partial(init_state, setup, generator, critic), (phase,), outputs)


def init_state(setup: Setup, generator: nn.Module, critic: nn.Module, key: Key) -> State:
    """The state at step 0. Raises: InputError for a generator with statistics."""
    c, tx = setup.config, setup.optimizers
    keys = jax.random.split(key, 5)
    x = jnp.zeros((1, *setup.image))
    nets = {}
    for name, key in zip(DIRECTIONS, keys[:2], strict=True):
        nets[name] = init_net(generator.init({"params": key, "dropout": keys[4]}, x), tx["generator"])
        if nets[name].stats:
            raise InputError(f"generator.net={c.generator.net!r} has statistics, which task 'unpaired' does not move")
    for name, key in zip(("critic_b", "critic_a"), keys[2:4], strict=True):
        nets[name] = init_net(critic.init(key, x), tx["critic"])
    ema = {name: nets[name].variables for name in DIRECTIONS} if c.ema.half_life else {}
    pools = {name: jnp.zeros((c.pool, *setup.image)) for name in ("pool_b", "pool_a")} if c.pool else {}
    return State(jnp.int32(0), nets, ema, pools)


def step(setup: Setup, state: State, batch: Batch, key: Key) -> tuple[State, Metrics]:
    """An update of both generators, then one of both critics. Metrics of the critics are means over both."""
    c = setup.config
    keys = derive(StepKeys, key)
    x = to_float(batch["x"][0], setup.output)
    real = dict(zip("ab", jnp.split(x, 2, -1), strict=True))
    if c.jitter:
        of_sets = zip(real.items(), jax.random.split(keys.jitter), strict=True)
        real = {name: jitter(x, c.jitter, key) for (name, x), key in of_sets}
    generators, (metrics, fakes) = joint_gradient_step(
        {name: state.nets[name] for name in DIRECTIONS},
        setup.optimizers["generator"],
        partial(generator_loss, setup),
        state.nets,
        real["a"],
        real["b"],
        keys,
    )
    nets, extra, of_critics = dict(generators), dict(state.extra), []
    of_sets = zip("ba", jax.random.split(keys.critics, 4)[2:], jax.random.split(keys.pools), strict=True)
    for name, of_critic, of_pool in of_sets:
        fake, pool = fakes[name], f"pool_{name}"
        if c.pool:
            extra[pool], fake = exchange(state.extra[pool], fake, state.step, of_pool)
        critic, loss = state.nets[f"critic_{name}"], partial(critic_loss, setup)
        critic, measured = gradient_step(critic, setup.optimizers["critic"], loss, real[name], fake, of_critic)
        nets[f"critic_{name}"] = critic
        of_critics.append(measured)
    metrics |= jax.tree.map(lambda *values: sum(values) / 2, *of_critics)
    ema = {
        name: update_ema(average, nets[name], state.step, c.batch, c.ema.half_life, c.ema.ramp)
        for name, average in state.ema.items()
    }
    return State(state.step + 1, nets, ema, extra), metrics


def generator_loss(setup: Setup, params: dict, critics: dict[str, Net], a, b, keys: StepKeys):
    """The loss of both generators, of parameters by name.

    Shapes: a, b [B, H, W, C] -> scalar, (metrics, the fakes of each set).
    """
    weights = setup.config.loss
    noises = iter(jax.random.split(keys.noise, 4))

    def moved(name, *x):
        """Translations of one batch or more, in one call; examples of all batches alternate."""
        together = jnp.stack(x, 1).reshape(-1, *setup.image)
        y = setup.translate({"params": params[name]}, together, train=True, rngs={"dropout": next(noises)})
        return jnp.moveaxis(y.reshape(-1, len(x), *setup.image), 1, 0)

    def fools(critic, real, fake, key):
        on_real, on_fake = (logits(setup, critic, x, key)[0] for x in (real, fake))
        return setup.adversarial.generator(on_real, on_fake)

    if weights.identity:
        (fake_b, same_b), (fake_a, same_a) = moved("to_b", a, b), moved("to_a", b, a)
    else:
        (fake_b,), (fake_a,) = moved("to_b", a), moved("to_a", b)
    cycle_a, cycle_b = distance(moved("to_a", fake_b)[0], a), distance(moved("to_b", fake_a)[0], b)
    for_b, for_a = jax.random.split(keys.critics, 4)[:2]
    fooled = fools(critics["critic_b"], b, fake_b, for_b) + fools(critics["critic_a"], a, fake_a, for_a)
    value = weights.adversarial * fooled + weights.cycle * (cycle_a + cycle_b)
    metrics = {"generator/adversarial": fooled / 2, "generator/cycle_a": cycle_a, "generator/cycle_b": cycle_b}
    if weights.identity:
        same = distance(same_b, b) + distance(same_a, a)
        metrics["generator/identity"] = same / 2
        value += weights.cycle * weights.identity * same
    return value, ({"generator/loss": value, **metrics}, {"b": fake_b, "a": fake_a})


def critic_loss(setup: Setup, params, stats: Variables, real, fake, key: Key):
    """The loss of a critic; its statistics follow the reals. Shapes: -> scalar, (stats, metrics)."""
    net = Net(params, stats, None)
    (on_real, stats), (on_fake, _) = logits(setup, net, real, key), logits(setup, net, fake, key)
    value = setup.adversarial.critic(on_real, on_fake)
    return value, (stats, {"critic/loss": value, "critic/real": on_real.mean(), "critic/fake": on_fake.mean()})


def logits(setup: Setup, critic: Net, x, key: Key):
    """A critic's logits in training, and its statistics."""
    return setup.judge(critic.variables, x, train=True, rngs={"dropout": key}, mutable=list(critic.stats))


def distance(x, y):
    """The mean absolute difference. Shapes: [B, H, W, C] twice -> scalar."""
    return jnp.abs(x - y).mean()


def _validate(c: ConfigDict, generator, critic, shape: tuple[int, ...], channels: int) -> None:
    """Raises: InputError for choices that do not fit each other or the data."""
    translating.check(c, generator, critic, shape)
    if shape[2] != 2 * channels:
        raise InputError(
            f"task 'unpaired' takes images of A and B with as many channels, but those of {c.data.name} have "
            f"{channels} and {shape[2] - channels}: set data.channels"
        )
    values = {f"loss.{name}": c.loss[name] for name in ("adversarial", "cycle", "identity")}
    values |= {"pool": c.pool, "ema.half_life": c.ema.half_life, "ema.ramp": c.ema.ramp}
    for key, value in values.items():
        if value < 0:
            raise InputError(f"{key}={value}: expected 0 or more")
    if not c.loss.adversarial and not c.loss.cycle:
        raise InputError("loss.adversarial=0 needs loss.cycle, or the generators have nothing to learn from")
