"""Unpaired image-to-image translation: two generators whose round trips come back, and two critics (CycleGAN).

An example is an image of each of two sets, A and B, as channels, which have nothing to do with each other
(`genjax.data.unpaired`). A step updates both generators together, then both critics, whose fakes are those that the
generators made before their update, exchanged with a pool of earlier ones. Source: arXiv:1703.10593; the order is that
of the authors' PyTorch code.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import Key, Net, State
from genjax.engine.update import gradient_step, init_net, joint_gradient_step, optimizer, update_ema
from genjax.errors import InputError
from genjax.nets import contracts
from genjax.ops.history import exchange
from genjax.ops.jitter import jitter
from genjax.ops.pixels import to_float
from genjax.tasks import translating
from genjax.tasks.adversarial.keys import derive
from genjax.tasks.adversarial.setup import find_loss
from genjax.tasks.translating import CRITICS, GENERATORS

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


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """An unpaired translation for images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    channels = translating.need_input_channels(c, shape, ADVICE)
    generator = construct(GENERATORS, c.generator, "generator", contracts.Translator.check, colors=channels)
    critic = construct(CRITICS, c.critic, "critic", contracts.PatchCritic.check)
    _validate(c, generator, critic, shape, channels)
    image = (*shape[:2], channels)
    translate, judge = computing_in(c.dtype, generator.apply), computing_in(c.dtype, critic.apply)
    adversarial = find_loss(c)
    tx = {name: optimizer(**options) for name, options in c.optimizer.items()}

    def init(key):
        keys = jax.random.split(key, 5)
        x = jnp.zeros((1, *image))
        rngs = [{"params": key, "dropout": keys[4]} for key in keys[:2]]
        nets = {name: init_net(generator.init(keys, x), tx["generator"]) for name, keys in zip(DIRECTIONS, rngs)}
        if any(net.stats for net in nets.values()):
            raise InputError(f"generator.net={c.generator.net!r} has statistics, which this task does not move")
        for name, key in zip(("critic_b", "critic_a"), keys[2:4]):
            nets[name] = init_net(critic.init(key, x), tx["critic"])
        ema = {name: nets[name].variables for name in DIRECTIONS} if c.ema.half_life else {}
        pools = {name: jnp.zeros((c.pool, *image)) for name in ("pool_b", "pool_a")} if c.pool else {}
        return State(jnp.int32(0), nets, ema, pools)

    def logits(net: Net, x, key: Key):
        """Logits in training, and the critic's statistics."""
        return judge(net.variables, x, train=True, rngs={"dropout": key}, mutable=list(net.stats))

    def generator_loss(params, critics, a, b, keys: StepKeys):
        """The loss of both generators; the metrics and the fakes of each set."""
        noises = iter(jax.random.split(keys.noise, 4))

        def moved(name, *x):
            """Translations of one batch or more, in one call; examples of all batches alternate."""
            together = jnp.stack(x, 1).reshape(-1, *image)
            y = translate({"params": params[name]}, together, train=True, rngs={"dropout": next(noises)})
            return jnp.moveaxis(y.reshape(-1, len(x), *image), 1, 0)

        def fools(critic, real, fake, key):
            on_real, on_fake = (logits(critic, x, key)[0] for x in (real, fake))
            return adversarial.generator(on_real, on_fake)

        if c.loss.identity:
            (fake_b, same_b), (fake_a, same_a) = moved("to_b", a, b), moved("to_a", b, a)
        else:
            (fake_b,), (fake_a,) = moved("to_b", a), moved("to_a", b)
        cycle_a, cycle_b = distance(moved("to_a", fake_b)[0], a), distance(moved("to_b", fake_a)[0], b)
        of_critics = jax.random.split(keys.critics, 4)
        fooled = fools(critics["critic_b"], b, fake_b, of_critics[0]) + fools(
            critics["critic_a"], a, fake_a, of_critics[1]
        )
        value = c.loss.adversarial * fooled + c.loss.cycle * (cycle_a + cycle_b)
        metrics = {"generator/adversarial": fooled, "generator/cycle_a": cycle_a, "generator/cycle_b": cycle_b}
        if c.loss.identity:
            same = distance(same_b, b) + distance(same_a, a)
            metrics["generator/identity"] = same / 2
            value += c.loss.cycle * c.loss.identity * same
        return value, ({"generator/loss": value, **metrics}, {"b": fake_b, "a": fake_a})

    def critic_loss(params, stats, real, fake, key):
        net = Net(params, stats, None)
        (on_real, stats), (on_fake, _) = logits(net, real, key), logits(net, fake, key)
        value = adversarial.critic(on_real, on_fake)
        metrics = {"critic/loss": value, "critic/real": on_real.mean(), "critic/fake": on_fake.mean()}
        return value, (stats, metrics)

    def step(state, batch, key):
        """An update of both generators, then one of both critics. Metrics of the critics are means over both."""
        keys = derive(StepKeys, key)
        x = to_float(batch["x"][0], generator.output)
        real = {"a": x[..., :channels], "b": x[..., channels:]}
        if c.jitter:
            of_sets = zip(real.items(), jax.random.split(keys.jitter), strict=True)
            real = {name: jitter(x, c.jitter, key) for (name, x), key in of_sets}
        generators = {name: state.nets[name] for name in DIRECTIONS}
        generators, (metrics, fakes) = joint_gradient_step(
            generators, tx["generator"], generator_loss, state.nets, real["a"], real["b"], keys
        )
        nets, extra, of_critics = dict(generators), dict(state.extra), []
        of_sets = zip(("b", "a"), jax.random.split(keys.critics, 4)[2:], jax.random.split(keys.pools), strict=True)
        for name, of_critic, of_pool in of_sets:
            fake = jax.lax.stop_gradient(fakes[name])
            if c.pool:
                extra[f"pool_{name}"], fake = exchange(state.extra[f"pool_{name}"], fake, state.step, of_pool)
            net = state.nets[f"critic_{name}"]
            nets[f"critic_{name}"], measured = gradient_step(
                net, tx["critic"], critic_loss, real[name], fake, of_critic
            )
            of_critics.append(measured)
        metrics |= jax.tree.map(lambda *values: sum(values) / 2, *of_critics)
        ema = {
            name: update_ema(average, nets[name], state.step, c.batch, c.ema.half_life, c.ema.ramp)
            for name, average in state.ema.items()
        }
        return State(state.step + 1, nets, ema, extra), metrics

    def translation(name: str, first: int):
        def output(state, x):
            """Translations of one direction. Shapes: uint8 images [N, H, W, C], or pairs [N, H, W, 2C] -> float."""
            x = x[..., first : first + channels] if x.shape[-1] == 2 * channels else x
            variables = state.ema[name] if state.ema else state.nets[name].variables
            return translating.translated(generator, variables, x)

        return output

    phase = Phase("train", c.steps, c.batch, step)
    return Task(init, (phase,), {"to_b": translation("to_b", 0), "to_a": translation("to_a", channels)})


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
