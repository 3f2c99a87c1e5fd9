"""TimeGAN: series generated as embeddings, whose steps follow each other as those of embedded series do.

Five recurrent nets: an embedder and a recovery, which together are an autoencoder of series; a generator of embeddings;
a supervisor, which predicts the next step of an embedding; and a critic of embeddings. Series may have unequal lengths
(`genjax.ops.padding`). Source: Yoon et al., "Time-series generative adversarial networks" (NeurIPS 2019), with the
losses and constants of its authors' code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import init_net, joint_gradient_step, optimizer, update_ema
from genjax.errors import InputError
from genjax.losses.series import cross_entropy, moment_distance, next_step_error, squared_error
from genjax.nets import contracts, gru
from genjax.ops import noise, padding, ranges

NETS = {"gru": gru.GRUStack}

NAMES = ("embedder", "recovery", "generator", "supervisor", "critic")
SAMPLING = ("generator", "supervisor", "recovery")
"""The nets that make a sample, in their order; the ones that are averaged."""


def config() -> ConfigDict:
    """Every key of a TimeGAN's config with its default, locked: a misspelled key in a config file raises."""
    c = defaults(task="timegan")
    c.steps = 10_000  # of the joint phase, each of `generator_steps` updates of the generator and one of the critic
    c.batch = 128
    c.data.name = "sines"
    c.eval.metrics = "discriminative,predictive"
    c.embedding = ConfigDict({"steps": 10_000})  # of the first phase, of embedder and recovery
    c.supervision = ConfigDict({"steps": 10_000})  # of the second phase, of the supervisor
    c.latent = 0  # uniform numbers of z per step; 0: as many as the data have
    c.recurrent = ConfigDict({"net": "gru"})  # of all nets; further keys: the fields of genjax.nets.gru.GRUStack
    c.generator_steps = 2  # updates of generator, supervisor, embedder and recovery per update of the critic
    c.critic_floor = 0.15  # skip the critic's update while its loss is below this value
    c.loss = ConfigDict(
        {
            "gamma": 1.0,  # weight of the fakes without supervisor, in both adversarial losses
            "supervised": 100.0,  # weight of the root of the next step's error in the generator's loss
            "moments": 100.0,  # weight of the distance of moments in the generator's loss
            "reconstruction": 10.0,  # weight of the root of the reconstruction's error in the embedder's loss
            "consistency": 0.1,  # weight of the next step's error in the embedder's loss, in the joint phase
        }
    )
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999, "epsilon": 1e-8})
    c.ema = ConfigDict({"half_life": 0.0, "ramp": 0.05})  # of the nets that make samples; see `tasks.adversarial`
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A TimeGAN for series of one shape, from its config.

    Phases: "embed", "supervise" and "joint". Optimizers begin again with the joint phase, as in the authors' code.
    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    _validate(c, shape)
    parts = Parts.of(c, shape)

    def init(key):
        nets = {}
        sizes = {"embedder": parts.features, "generator": parts.latent}
        for name, key_of_net in zip(NAMES, jax.random.split(key, len(NAMES)), strict=True):
            size = sizes.get(name, parts.nets["embedder"].features)
            nets[name] = init_net(parts.nets[name].init(key_of_net, jnp.zeros((1, shape[0], size))), parts.tx)
        return State(jnp.int32(0), nets, parts.averages(nets), ranges.init_state(shape))

    phases = (
        Phase("embed", c.embedding.steps, c.batch, parts.embed, samples=False),
        Phase("supervise", c.supervision.steps, c.batch, parts.supervise, samples=False),
        Phase("joint", c.steps, c.batch, parts.joint, c.generator_steps + 1, parts.begin_joint),
    )
    return Task(init, tuple(phase for phase in phases if phase.steps), outputs(parts))


@dataclass(frozen=True)
class Parts:
    """The static parts of the steps, and the steps."""

    config: ConfigDict
    steps: int  # of a series
    features: int  # of a step
    latent: int  # of a step
    nets: dict[str, nn.Module]
    apply: dict[str, Callable]  # (params, x) -> outputs
    tx: optax.GradientTransformation

    @classmethod
    def of(cls, c: ConfigDict, shape: tuple[int, ...]) -> "Parts":
        """The parts for series of one shape. Raises: InputError for unknown names."""
        make = partial(construct, NETS, c.recurrent, "recurrent", contracts.Sequence.check)
        critic = make(features=1, output="linear")
        hidden = make(features=critic.width, output="sigmoid")
        if hidden.layers < 2:
            raise InputError(
                f"recurrent.layers={hidden.layers}: expected at least 2, since the supervisor has one fewer"
            )
        nets = {
            "embedder": hidden,
            "recovery": make(features=shape[1], output="sigmoid"),
            "generator": hidden,
            "supervisor": hidden.clone(layers=hidden.layers - 1),
            "critic": critic,
        }
        apply = {name: computing_in(c.dtype, net.apply) for name, net in nets.items()}
        return cls(c, *shape, c.latent or shape[1], nets, apply, optimizer(**c.optimizer))

    def run(self, params: dict, name: str, *xs):
        """Outputs of one of the nets, whose parameters are `params[name]`, for several inputs in one call."""
        outputs = self.apply[name]({"params": params[name]}, jnp.concatenate(xs) if len(xs) > 1 else xs[0])
        return jnp.split(outputs, len(xs)) if len(xs) > 1 else outputs

    def read(self, extra: dict, x):
        """Series from 0 to 1 with zeros for padding, the mask of their steps, and the ranges that have them."""
        extra = ranges.update(extra, x)
        valid = padding.valid_mask(x)
        return jnp.where(valid[..., None], ranges.scale(extra, x), 0), valid, extra

    def embed(self, state, batch, key):
        """One update of embedder and recovery by the reconstruction."""
        x, valid, extra = self.read(state.extra, batch["x"][0])

        def loss(params):
            error = squared_error(self.run(params, "recovery", self.run(params, "embedder", x)), x, valid)
            return self.config.loss.reconstruction * jnp.sqrt(error), {"embedding/error": jnp.sqrt(error)}

        return self.updated(state, ("embedder", "recovery"), loss, extra)

    def supervise(self, state, batch, key):
        """One update of the supervisor by the embedding's next step."""
        x, valid, extra = self.read(state.extra, batch["x"][0])
        h = self.run({"embedder": state.nets["embedder"].params}, "embedder", x)

        def loss(params):
            error = next_step_error(self.run(params, "supervisor", h), h, valid)
            return error, {"supervisor/error": jnp.sqrt(error)}

        return self.updated(state, ("supervisor",), loss, extra)

    def updated(self, state, names, loss, extra):
        """The state after one update of some nets."""
        nets, metrics = joint_gradient_step({name: state.nets[name] for name in names}, self.tx, loss)
        return State(state.step + 1, state.nets | nets, state.ema, extra), metrics

    def joint(self, state, batch, key):
        """Updates of generator and supervisor, of embedder and recovery, and then one of the critic."""
        count = self.config.generator_steps
        keys = jax.random.split(key, count + 1)
        start = state.nets, state.extra
        (nets, extra), metrics = jax.lax.scan(self.move_generator, start, (batch["x"][:count], keys[:count]))
        critic, extra, more = self.move_critic(nets, extra, batch["x"][count], keys[count])
        nets = nets | {"critic": critic}
        step = state.step - self.config.embedding.steps - self.config.supervision.steps
        ema = {
            name: update_ema(old, nets[name], step, self.config.batch, self.config.ema.half_life, self.config.ema.ramp)
            for name, old in state.ema.items()
        }
        return State(state.step + 1, nets, ema, extra), jax.tree.map(lambda m: m[-1], metrics) | more

    def move_generator(self, carry, inputs):
        """One update of generator and supervisor, and one of embedder and recovery on the same batch."""
        nets, extra = carry
        x, key = inputs
        x, valid, extra = self.read(extra, x)
        z = noise.uniform(key, self.config.batch, (self.steps, self.latent))
        weights = self.config.loss
        fixed = {name: net.params for name, net in nets.items()}
        h = self.run(fixed, "embedder", x)

        def generator_loss(params):
            params = fixed | params
            early = self.run(params, "generator", z)
            fake, predicted = self.run(params, "supervisor", early, h)
            adversarial = [cross_entropy(y, 1.0, valid) for y in self.run(params, "critic", fake, early)]
            supervised = next_step_error(predicted, h, valid)
            moments = moment_distance(self.run(params, "recovery", fake), x, valid)
            value = adversarial[0] + weights.gamma * adversarial[1]
            value += weights.supervised * jnp.sqrt(supervised) + weights.moments * moments
            metrics = {"generator/loss": value, "generator/adversarial": adversarial[0]}
            return value, metrics | {"supervisor/error": jnp.sqrt(supervised), "generator/moments": moments}

        def embedder_loss(params):
            params = moved | params
            h = self.run(params, "embedder", x)
            error = squared_error(self.run(params, "recovery", h), x, valid)
            supervised = next_step_error(self.run(params, "supervisor", h), h, valid)
            value = weights.reconstruction * jnp.sqrt(error) + weights.consistency * supervised
            return value, {"embedding/error": jnp.sqrt(error)}

        updated, metrics = joint_gradient_step(
            {n: nets[n] for n in ("generator", "supervisor")}, self.tx, generator_loss
        )
        nets = nets | updated
        moved = {name: net.params for name, net in nets.items()}
        updated, more = joint_gradient_step({n: nets[n] for n in ("embedder", "recovery")}, self.tx, embedder_loss)
        return (nets | updated, extra), metrics | more

    def move_critic(self, nets, extra, x, key):
        """One update of the critic, unless its loss is at most `critic_floor`."""
        x, valid, extra = self.read(extra, x)
        z = noise.uniform(key, self.config.batch, (self.steps, self.latent))
        fixed = {name: net.params for name, net in nets.items()}
        real = self.run(fixed, "embedder", x)
        early = self.run(fixed, "generator", z)
        fake = self.run(fixed, "supervisor", early)

        def loss(params):
            of_real, of_fake, of_early = self.run(params, "critic", real, fake, early)
            value = cross_entropy(of_real, 1.0, valid) + cross_entropy(of_fake, 0.0, valid)
            value += self.config.loss.gamma * cross_entropy(of_early, 0.0, valid)
            return value, {"critic/loss": value}

        before = nets["critic"]
        after, metrics = joint_gradient_step({"critic": before}, self.tx, loss)
        moves = metrics["critic/loss"] > self.config.critic_floor
        critic = jax.tree.map(partial(jnp.where, moves), after["critic"], before)
        return critic, extra, metrics | {"critic/moves": moves.astype(jnp.float32)}

    def averages(self, nets: dict) -> dict:
        """The averaged weights at their beginning, if there are any."""
        return {name: nets[name].variables for name in SAMPLING} if self.config.ema.half_life else {}

    def begin_joint(self, state: State, key) -> State:
        """The state with new optimizers, and averages that begin at its weights."""
        nets = {name: net.replace(opt=self.tx.init(net.params)) for name, net in state.nets.items()}
        return State(state.step, nets, self.averages(nets), state.extra)


def outputs(parts: Parts) -> dict[str, Callable]:
    """The outputs of the task by their names."""

    def sample(state, seeds, truncation=None, ema=True):
        """One series per seed, in the data's range, with NaN after its end; lengths are as frequent as the data's.

        Shapes: seeds int [N] -> float32 [N, T, F]. Raises: InputError for a truncation, since latents are uniform.
        """
        if truncation is not None:
            raise InputError(f"truncation={truncation}: the latents of task 'timegan' are uniform: leave it unset")
        nets = {name: net.params for name, net in state.nets.items()}
        nets |= {name: variables["params"] for name, variables in state.ema.items() if ema}
        x = noise.uniform_of_seeds(seeds, (parts.steps, parts.latent))
        for name in SAMPLING:
            x = parts.run(nets, name, x)
        uniform = jax.vmap(jax.random.uniform)(noise.keys_of_seeds(seeds))
        valid = jnp.arange(parts.steps) < ranges.draw_lengths(state.extra, uniform)[:, None]
        return jnp.where(valid[..., None], ranges.unscale(state.extra, x), jnp.nan)

    def reconstruct(state, x):
        """Series of the embeddings of series, with the padding of these. Shapes: x [N, T, F], kept."""
        nets = {name: net.params for name, net in state.nets.items()}
        scaled = jnp.where(padding.valid_mask(x)[..., None], ranges.scale(state.extra, x), 0)
        y = parts.run(nets, "recovery", parts.run(nets, "embedder", scaled))
        return padding.copy_padding(ranges.unscale(state.extra, y), x)

    return {"sample": sample, "reconstruct": reconstruct}


def _validate(c: ConfigDict, shape: tuple[int, ...]) -> None:
    """Raises: InputError for data that are no series, and numbers out of range."""
    if len(shape) != 2 or shape[0] < 2:
        raise InputError(
            f"task 'timegan' takes series [steps, numbers] of at least 2 steps, but {c.data.name} has shape "
            f"{list(shape)}: set data.name to sines, series:PATH or windows:PATH"
        )
    least = {"embedding.steps": 0, "supervision.steps": 0, "latent": 0, "generator_steps": 1, "critic_floor": 0}
    least |= {f"loss.{name}": 0 for name in c.loss} | {"ema.half_life": 0, "ema.ramp": 0}
    for key, bound in least.items():
        part, _, name = key.rpartition(".")
        value = (c[part] if part else c)[name]
        if value < bound:
            raise InputError(f"{key}={value}: expected {bound or '0'} or more")
