"""SeqGAN: sequences of tokens by a policy gradient, whose rewards are a critic's.

A token is no differentiable function of a generator's weights. So the critic's input are whole sequences, and the
reward of a token is the critic's output for sequences that begin up to it, completed by rollouts. Source:
arXiv:1609.05473, with the losses and constants of its authors' code.
"""

from collections.abc import Callable
from dataclasses import dataclass

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer, update_ema
from genjax.errors import InputError
from genjax.losses.adversarial import cross_entropy_critic
from genjax.losses.tokens import log_probabilities, penalty
from genjax.nets import contracts, tokens
from genjax.ops import categorical, noise, rollouts

GENERATORS = {"lstm": tokens.TokenLSTM}
CRITICS = {"cnn": tokens.TokenCNN}


def config() -> ConfigDict:
    """Every key of a SeqGAN's config with its default, locked: a misspelled key in a config file raises."""
    c = defaults(task="seqgan")
    c.steps = 200  # of the game: an update of the generator, then `critic_steps` of the critic
    c.batch = 64  # sequences per update; of the critic, half of them real
    c.data.name = "oracle_5000x20"
    c.eval.metrics = "nll_oracle,nll_test"
    c.vocabulary = 5000  # the number of tokens: whole numbers from 0
    c.imitation = ConfigDict({"steps": 18_720})  # of the first phase, maximum likelihood
    c.discrimination = ConfigDict({"steps": 46_800})  # of the second phase, of the critic alone
    c.critic_steps = 4_680
    c.rollouts = 16  # completions of each beginning of a sequence
    c.rollout_decay = 0.8  # share of the earlier policy that the rollouts' keeps; 0: they are the generator's own
    c.game_rate = 1.0  # the generator's learning rate in the game, as a share of that before
    c.baseline = False  # subtract from rewards the mean of their position over the batch, for less noise
    c.l2 = 0.2  # weight of half the squares of the critic's last layer
    c.clip_norm = 5.0  # the largest norm of the generator's gradient
    c.generator = ConfigDict({"net": "lstm"})  # further keys: the fields of the net
    c.critic = ConfigDict({"net": "cnn"})
    adam = {"name": "adam", "learning_rate": 1e-4, "b1": 0.9, "b2": 0.999, "epsilon": 1e-8}
    c.optimizer = ConfigDict({"generator": adam | {"learning_rate": 1e-2}, "critic": adam})
    c.ema = ConfigDict({"half_life": 0.0, "ramp": 0.05})  # of the generator; see `tasks.adversarial`
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A SeqGAN for sequences of one length, from its config.

    Phases: "imitate", "discriminate" and "game", with which the generator's optimizer begins again, as in the authors'
    code.
    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    _validate(c, shape)
    parts = Parts.of(c, shape[0])

    def init(key):
        keys = jax.random.split(key, 2)
        x = jnp.zeros((1, parts.steps), jnp.int32)
        nets = {"generator": init_net(parts.generator.init(keys[0], x), parts.imitation_tx)}
        nets["critic"] = init_net(parts.critic.init(keys[1], x, train=False), parts.critic_tx)
        averages = {"generator": nets["generator"].variables} if c.ema.half_life else {}
        return State(jnp.int32(0), nets, averages, {"rollout": nets["generator"].params})

    half = c.batch // 2
    phases = (
        Phase("imitate", c.imitation.steps, c.batch, parts.imitate),
        Phase("discriminate", c.discrimination.steps, half, parts.discriminate),
        Phase("game", c.steps, half, parts.play, c.critic_steps, parts.begin_game),
    )
    return Task(init, tuple(phase for phase in phases if phase.steps), outputs(parts))


@dataclass(frozen=True)
class Parts:
    """The static parts of the steps, and the steps."""

    config: ConfigDict
    steps: int  # of a sequence
    generator: nn.Module
    critic: nn.Module
    apply: dict[str, Callable]
    imitation_tx: optax.GradientTransformation
    policy_tx: optax.GradientTransformation
    critic_tx: optax.GradientTransformation

    @classmethod
    def of(cls, c: ConfigDict, steps: int) -> "Parts":
        """The parts for sequences of `steps` tokens. Raises: InputError for unknown names, and what does not fit."""
        check = contracts.TokenGenerator.check
        generator = construct(GENERATORS, c.generator, "generator", check, vocabulary=c.vocabulary)
        critic = construct(CRITICS, c.critic, "critic", contracts.TokenCritic.check, vocabulary=c.vocabulary)
        like = jax.ShapeDtypeStruct((1, steps), jnp.int32)
        jax.eval_shape(lambda x: critic.init(jax.random.key(0), x, train=False), like)  # it refuses what does not fit
        apply = {"generator": computing_in(c.dtype, generator.apply), "critic": computing_in(c.dtype, critic.apply)}
        slower = {"learning_rate": c.game_rate * c.optimizer.generator.learning_rate}
        of_generator = (
            optax.chain(optax.clip_by_global_norm(c.clip_norm), optimizer(**c.optimizer.generator.to_dict() | options))
            for options in ({}, slower)
        )
        return cls(c, steps, generator, critic, apply, *of_generator, optimizer(**c.optimizer.critic))

    def read(self, x):
        """Tokens of examples. Shapes: float [..., T, 1] -> int32 [..., T]."""
        return x[..., 0].astype(jnp.int32)

    def log_probabilities(self, params, x):
        """log p of each token, given those before it. Shapes: int [B, T] -> [B, T]."""
        return log_probabilities(self.apply["generator"]({"params": params}, x), x)

    def recurrence(self, params):
        """`begin` and `advance` of the generator with some weights."""
        variables = {"params": params}

        def begin(count):
            return self.apply["generator"](variables, count, method="begin")

        def advance(carry, token):
            return self.apply["generator"](variables, carry, token, method="advance")

        return begin, advance

    def generate(self, params, u):
        """Sequences of the generator. Shapes: u from 0 to 1 [B, T] -> int32 [B, T]."""
        begin, advance = self.recurrence(params)

        def step(state, u):
            carry, logits = advance(*state)
            token = categorical.draw(logits, u)
            return (carry, token), token

        first = jnp.full(len(u), tokens.FIRST, jnp.int32)
        return jax.lax.scan(step, (begin(len(u)), first), u.T)[1].T

    def imitate(self, state, batch, key):
        """One update of the generator by maximum likelihood."""
        x = self.read(batch["x"][0])

        def loss(params, stats):
            value = -self.log_probabilities(params, x).mean()
            return value, (stats, {"generator/nll": value})

        net, metrics = gradient_step(state.nets["generator"], self.imitation_tx, loss)
        return self.moved(state, net), metrics

    def discriminate(self, state, batch, key):
        """One update of the critic, on reals and as many new fakes."""
        critic, metrics = self.move_critic(state.nets["generator"].params, state.nets["critic"], batch["x"][0], key)
        return State(state.step + 1, state.nets | {"critic": critic}, state.ema, state.extra), metrics

    def play(self, state, batch, key):
        """One update of the generator by its rewards, then `critic_steps` of the critic."""
        keys = jax.random.split(key, 3)
        net = state.nets["generator"]
        fakes = self.generate(net.params, noise.uniform(keys[0], self.config.batch, (self.steps,)))
        rewards = self.rewards(state.extra["rollout"], state.nets["critic"], fakes, keys[1])

        advantages = rewards - rewards.mean(0) if self.config.baseline else rewards

        def loss(params, stats):
            value = -jnp.sum(self.log_probabilities(params, fakes) * advantages)
            return value, (stats, {"generator/reward": rewards.mean()})

        net, metrics = gradient_step(net, self.policy_tx, loss)
        state = self.moved(state, net)
        decay = self.config.rollout_decay
        rollout = jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, state.extra["rollout"], net.params)

        def move(critic, inputs):
            return self.move_critic(net.params, critic, *inputs)

        inputs = batch["x"], jax.random.split(keys[2], self.config.critic_steps)
        critic, more = jax.lax.scan(move, state.nets["critic"], inputs)
        nets = state.nets | {"critic": critic}
        metrics |= jax.tree.map(lambda m: m.mean(0), more)
        return State(state.step, nets, state.ema, {"rollout": rollout}), metrics

    def rewards(self, rollout, critic, x, key):
        """The reward of each token: the critic's probability that sequences which begin so are real.

        A mean over `rollouts` completions by the rollouts' policy; of the last token, that of the sequence itself.
        Source: arXiv:1609.05473, eq. 4.
        Shapes: int [B, T] -> [B, T].
        """
        count, (batch, steps) = self.config.rollouts, x.shape
        u = noise.uniform(key, batch, (count, rollouts.slots(steps), steps)).swapaxes(0, 1)

        def probability(x):
            return jax.nn.sigmoid(self.apply["critic"](critic.variables, x, train=False))

        def score(u):
            completed = rollouts.complete(*self.recurrence(rollout), x, u, tokens.FIRST)
            return probability(completed.reshape(-1, steps)).reshape(batch, steps - 1)

        return jnp.concatenate([jax.lax.map(score, u).mean(0), probability(x)[:, None]], 1)

    def move_critic(self, policy, critic, x, key):
        """One update of the critic on reals x, and as many fakes of a policy."""
        keys = jax.random.split(key)
        reals = self.read(x)
        fakes = self.generate(policy, noise.uniform(keys[0], len(reals), (self.steps,)))
        both = jnp.stack([reals, fakes], 1).reshape(-1, self.steps)  # by turns: each device has its own of both

        def loss(params, stats):
            logits = self.apply["critic"]({"params": params, **stats}, both, train=True, rngs={"dropout": keys[1]})
            real, fake = logits[0::2], logits[1::2]
            value = cross_entropy_critic(real, fake)
            metrics = {"critic/loss": value, "critic/real": real.mean(), "critic/fake": fake.mean()}
            return value + self.config.l2 * penalty(params), (stats, metrics)

        return gradient_step(critic, self.critic_tx, loss)

    def moved(self, state, net):
        """The state after an update of the generator."""
        averages = self.config.ema
        ema = {
            name: update_ema(old, net, state.step, self.config.batch, averages.half_life, averages.ramp)
            for name, old in state.ema.items()
        }
        return State(state.step + 1, state.nets | {"generator": net}, ema, state.extra)

    def begin_game(self, state: State, key) -> State:
        """The state with a new optimizer of the generator, whose weights are the rollouts' as well."""
        net = state.nets["generator"]
        nets = state.nets | {"generator": net.replace(opt=self.policy_tx.init(net.params))}
        return State(state.step, nets, state.ema, {"rollout": jax.tree.map(jnp.copy, net.params)})


def outputs(parts: Parts) -> dict[str, Callable]:
    """The outputs of the task by their names."""

    def sample(state, seeds, truncation=None, ema=True):
        """One sequence per seed. Shapes: seeds int [N] -> float32 [N, T, 1], whole numbers.

        Raises: InputError for a truncation, since there are no latents.
        """
        if truncation is not None:
            raise InputError(f"truncation={truncation}: task 'seqgan' has no latents: leave it unset")
        u = noise.uniform_of_seeds(seeds, (parts.steps,))
        return parts.generate(policy(state, ema), u)[..., None].astype(jnp.float32)

    def log_probability(state, x, ema=True):
        """log p of sequences, in nats. Shapes: float [N, T, 1] -> [N]."""
        return parts.log_probabilities(policy(state, ema), parts.read(x)).sum(1)

    def policy(state, ema):
        return (state.ema["generator"] if ema and state.ema else state.nets["generator"].variables)["params"]

    return {"sample": sample, "log_probability": log_probability}


def _validate(c: ConfigDict, shape: tuple[int, ...]) -> None:
    """Raises: InputError for data that are no sequences of the tokens, and numbers out of range."""
    if len(shape) != 2 or shape[1] != 1 or shape[0] < 2:
        raise InputError(
            f"task 'seqgan' takes sequences of tokens, series of one whole number per step and at least 2 steps, but "
            f"{c.data.name} has shape {list(shape)}: set data.name to oracle_5000x20, oracle:FILE or series:PATH"
        )
    if c.batch % 2:
        raise InputError(f"batch={c.batch}: expected an even number, since half of the critic's sequences are real")
    least = {"imitation.steps": 0, "discrimination.steps": 0, "critic_steps": 1, "rollouts": 1, "l2": 0}
    least |= {"vocabulary": 2, "ema.half_life": 0, "ema.ramp": 0}
    for key, bound in least.items():
        part, _, name = key.rpartition(".")
        value = (c[part] if part else c)[name]
        if value < bound:
            raise InputError(f"{key}={value}: expected {bound or '0'} or more")
    if not 0 <= c.rollout_decay < 1:
        raise InputError(f"rollout_decay={c.rollout_decay}: expected 0 or more, and less than 1")
    for key in ("clip_norm", "game_rate"):
        if c[key] <= 0:
            raise InputError(f"{key}={c[key]}: expected a number above 0")
