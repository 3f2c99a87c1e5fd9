"""SeqGAN's steps against sums over all sequences of a tiny vocabulary."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_keeps_state, config_of, step_inputs

from genjax import tasks
from genjax.data.source import in_memory
from genjax.errors import InputError
from genjax.losses.adversarial import cross_entropy_critic
from genjax.losses.tokens import penalty
from genjax.run.training import check_tokens
from genjax.tasks import seqgan

V, T, B = 3, 4, 2
EVERY = np.array(list(itertools.product(range(V), repeat=T)), np.int32)
"""All sequences."""


def config(**overrides):
    tiny = {"vocabulary": V, "batch": B, "generator__width": 3, "generator__embedding": 2, "critic_steps": 1}
    c = config_of("seqgan", **tiny | {"rollouts": 2000} | overrides)
    c.critic.update(widths=(1, 3), filters=(3, 3), embedding=2)
    return c


def spread(state):
    """Weights far from uniform, so that rewards differ."""
    return jax.tree.map(lambda a: a * 8 if a.dtype == np.float32 else a, state)


@pytest.fixture(scope="module")
def drawn():
    """Parts, a state, the probability of every sequence and what the critic says of it."""
    c = config()
    parts = seqgan.Parts.of(c, T)
    state = spread(jax.jit(tasks.build(c, (T, 1)).init)(jax.random.key(0)))
    p = jax.jit(lambda params: jnp.exp(parts.log_probabilities(params, EVERY).sum(1)))(state.nets["generator"].params)
    judge = jax.jit(lambda variables: jax.nn.sigmoid(parts.critic.apply(variables, EVERY, train=False)))
    reward = judge(state.nets["critic"].variables)
    return parts, state, np.float64(p), np.float64(reward)


@pytest.mark.heavy
def test_probabilities_of_all_sequences_sum_to_one_and_samples_have_them(drawn):
    parts, state, p, _ = drawn
    assert p.sum() == pytest.approx(1, abs=1e-5)
    assert p.max() > 3 / len(p)  # far from uniform
    count = 20_000
    u = np.random.default_rng(0).random((count, T), np.float32)
    made = np.asarray(jax.jit(parts.generate)(state.nets["generator"].params, u))
    shares = np.bincount(made @ V ** np.arange(T)[::-1], minlength=V**T) / count
    np.testing.assert_array_less(np.abs(shares - p), 5 * np.sqrt(p * (1 - p) / count) + 1e-4)


@pytest.mark.heavy
def test_rewards_are_the_expected_judgment_of_what_begins_so(drawn):
    """Each within four standard errors of the sum over all ends, weighted by their probability."""
    parts, state, p, reward = drawn
    x = EVERY[[5, 61]]
    rewards = jax.jit(parts.rewards)(state.extra["rollout"], state.nets["critic"], x, jax.random.key(3))
    spreads = []
    for i, t in itertools.product(range(B), range(T)):
        begins = (EVERY[:, : t + 1] == x[i, : t + 1]).all(1)
        q = p * begins / (p * begins).sum()
        mean = (q * reward).sum()
        spreads.append(np.sqrt((q * (reward - mean) ** 2).sum()))
        assert abs(rewards[i, t] - mean) < 4 * spreads[-1] / np.sqrt(2000) + 1e-5
    assert max(spreads) > 0.01  # judgments differ


@pytest.mark.heavy
@pytest.mark.parametrize("baseline", [pytest.param(False, marks=pytest.mark.slow), True])  # slow: True has all lines
def test_the_games_gradient_is_that_of_the_expected_reward(baseline):
    """The mean over 8,192 sequences of a step's gradient, against the slope of the sum over all sequences."""
    count = 8192
    sgd = {"optimizer__generator__name": "sgd", "optimizer__generator__learning_rate": 1.0, "clip_norm": 1e9}
    c = config(batch=count, rollouts=2, baseline=baseline, game_rate=0.5, **sgd)
    parts = seqgan.Parts.of(c, T)
    task = tasks.build(c, (T, 1))
    state = spread(jax.jit(task.init)(jax.random.key(0)))
    x = np.zeros((1, count // 2, T, 1), np.float32)
    after, metrics = jax.jit(parts.play)(state, {"x": x}, jax.random.key(1))
    before = state.nets["generator"].params
    moved = jax.tree.map(lambda a, b: (a - b) / count / 0.5, after.nets["generator"].params, before)
    critic = state.nets["critic"].variables
    reward = jax.jit(lambda critic: jax.nn.sigmoid(parts.critic.apply(critic, EVERY, train=False)))(critic)

    @jax.jit
    @jax.value_and_grad
    def expected(params):
        return jnp.sum(jnp.exp(parts.log_probabilities(params, EVERY).sum(1)) * reward)

    value, slope = expected(before)
    got, exact = (np.concatenate([np.ravel(a) for a in jax.tree.leaves(tree)]) for tree in (moved, slope))
    assert np.linalg.norm(got - exact) < (0.05 if baseline else 0.1) * np.linalg.norm(exact)
    assert metrics["generator/reward"] == pytest.approx(float(value), abs=0.02)
    lag = jax.tree.map(lambda old, new: 0.8 * old + 0.2 * new, before, after.nets["generator"].params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), after.extra["rollout"], lag)


@pytest.mark.heavy
def test_the_critic_descends_cross_entropy_and_half_the_squares_of_its_last_layer(drawn):
    parts, state, *_ = drawn
    sgd = {"optimizer__critic__name": "sgd", "optimizer__critic__learning_rate": 1.0, "critic__dropout": 0.0}
    parts = seqgan.Parts.of(config(**sgd), T)
    reals = EVERY[[7, 20]]
    x = reals[..., None].astype(np.float32)
    key = jax.random.key(5)
    before = state.nets["critic"].replace(opt=parts.critic_tx.init(state.nets["critic"].params))
    policy = state.nets["generator"].params
    after, metrics = jax.jit(parts.move_critic)(policy, before, x, key)
    fakes = jax.jit(parts.generate)(policy, seqgan.noise.uniform(jax.random.split(key)[0], B, (T,)))

    @jax.jit
    @jax.value_and_grad
    def loss(params):
        logits = [parts.critic.apply({"params": params}, x, train=False) for x in (reals, fakes)]
        return cross_entropy_critic(*logits) + 0.2 * penalty(params)

    value, slope = loss(before.params)
    assert metrics["critic/loss"] == pytest.approx(float(value - 0.2 * penalty(before.params)), rel=1e-5)
    moved = jax.tree.map(lambda a, b: a - b, before.params, after.params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5), moved, slope)


@pytest.mark.heavy
def test_imitation_descends_the_mean_over_tokens_and_averages_begin():
    c = config(ema__half_life=100.0, ema__ramp=float("inf"))
    parts, task = seqgan.Parts.of(c, T), tasks.build(c, (T, 1))
    state = jax.jit(task.init)(jax.random.key(0))
    x = EVERY[[7, 20]][None, ..., None].astype(np.float32)
    after, metrics = jax.jit(parts.imitate)(state, {"x": x}, jax.random.key(0))
    params = state.nets["generator"].params
    log_probability = jax.jit(task.outputs["log_probability"], static_argnames="ema")
    log_p = log_probability(state, x[0])
    assert metrics["generator/nll"] == pytest.approx(-float(log_p.mean()) / T, rel=1e-5)
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), params, after.nets["generator"].params)
    assert max(jax.tree.leaves(moved)) == pytest.approx(1e-2, rel=1e-3)  # Adam's first update
    first, last = params["head_bias"], after.nets["generator"].params["head_bias"]
    decay = 0.5 ** (B / 100)
    np.testing.assert_allclose(after.ema["generator"]["params"]["head_bias"], last + decay * (first - last), rtol=1e-5)
    plain, mean = (log_probability(after, x[0], ema=ema) for ema in (False, True))
    assert (plain > mean).all()


@pytest.mark.heavy
def test_the_game_begins_with_a_new_optimizer_and_the_generators_own_rollouts(drawn):
    parts, state, *_ = drawn
    begun = parts.begin_game(
        state.replace(extra={"rollout": jax.tree.map(jnp.zeros_like, state.extra["rollout"])}), None
    )
    jax.tree.map(np.testing.assert_array_equal, begun.extra["rollout"], state.nets["generator"].params)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(begun.nets["generator"].opt))


@pytest.mark.parametrize(
    ("shape", "overrides", "message"),
    [
        ((28, 28, 1), {}, "takes sequences of tokens"),
        ((24, 5), {}, "takes sequences of tokens"),
        ((T, 1), {"batch": 3}, "batch=3: expected an even number"),
        ((T, 1), {"rollouts": 0}, "rollouts=0: expected 1 or more"),
        ((T, 1), {"rollout_decay": 1.0}, "less than 1"),
        ((T, 1), {"clip_norm": 0.0}, "clip_norm=0.0: expected a number above 0"),
        ((2, 1), {}, "wider than a sequence of 2 tokens"),
    ],
)
def test_what_does_not_fit_is_refused(shape, overrides, message):
    with pytest.raises(InputError, match=message):
        tasks.build(config(**overrides), shape)


@pytest.mark.parametrize("value", [V, -1, 0.5, np.nan])
def test_what_is_no_token_is_refused_by_its_place(value):
    x = EVERY[..., None].astype(np.float32)
    check_tokens(V, in_memory("x", "train", x, None))
    x[7, 2] = value
    with pytest.raises(InputError, match=r"sequence 7 of x has .* at step 2: expected a whole number from 0 to 2"):
        check_tokens(V, in_memory("x", "train", x, None))


@pytest.mark.heavy
def test_bfloat16_keeps_the_state():
    c = config(dtype="bfloat16", rollouts=2)
    task = tasks.build(c, (T, 1))
    state = jax.eval_shape(task.init, jax.random.key(0))
    source = in_memory("x", "train", EVERY[..., None].astype(np.float32), None)
    for phase in task.phases:
        assert_keeps_state(jax.eval_shape(phase.step, *step_inputs(phase, source, state)), state)
