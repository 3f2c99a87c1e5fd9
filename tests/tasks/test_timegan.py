"""TimeGAN's three phases against losses written here in NumPy, series by series and step by step, in float64."""

import jax
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.errors import InputError
from genjax.ops import noise

T, F, B = 5, 2, 6
LENGTHS = np.array([5, 3, 4, 5, 2, 5])
RNG = np.random.default_rng(0)


def series(count=1):
    """Series of LENGTHS, with NaN after their ends. The largest and the least number are in each batch."""
    x = RNG.uniform(-1, 3, (count, B, T, F))
    x[:, 0, 0], x[:, 0, 1] = -1, 3
    return np.where((np.arange(T) < LENGTHS[:, None])[..., None], x, np.nan)


def build(**overrides):
    overrides = {"recurrent__width": 3, "recurrent__layers": 2, "batch": B, "generator_steps": 1} | overrides
    return tasks.build(config_of("timegan", **overrides), (T, F))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def net(params, x, activation=sigmoid):
    """A stack of GRUs on one series of its own length [t, F], written step by step as TensorFlow's cell defines it."""
    for layer in sorted(name for name in params if name.startswith("gru")):
        p, rows = params[layer], []
        h = np.zeros(len(p["candidate_bias"]))
        for row in x:
            r, u = np.split(sigmoid(np.r_[row, h] @ p["gates_kernel"] + p["gates_bias"]), 2)
            h = u * h + (1 - u) * np.tanh(np.r_[row, r * h] @ p["candidate_kernel"] + p["candidate_bias"])
            rows.append(h)
        x = np.array(rows)
    return activation(x @ params["head"]["kernel"] + params["head"]["bias"])


def mean(arrays):
    return np.concatenate([a.ravel() for a in arrays]).mean()


class Losses:
    """The authors' losses of one batch x with noise z, as functions of the parameters of all five nets."""

    def __init__(self, x, z):
        self.x = [(a[:n] + 1) / (4 + 1e-7) for a, n in zip(x, LENGTHS, strict=True)]
        self.z = [a[:n] for a, n in zip(z, LENGTHS, strict=True)]

    def reconstruction(self, p):
        return mean([(net(p["recovery"], net(p["embedder"], x)) - x) ** 2 for x in self.x])

    def supervised(self, p):
        h = [net(p["embedder"], x) for x in self.x]
        return mean([(a[1:] - net(p["supervisor"], a)[:-1]) ** 2 for a in h])

    def embed(self, p):
        return 10 * np.sqrt(self.reconstruction(p))

    def fakes(self, p):
        early = [net(p["generator"], z) for z in self.z]
        return early, [net(p["supervisor"], e) for e in early]

    def cross_entropy(self, p, h, label):
        y = [sigmoid(net(p["critic"], a, lambda v: v)) for a in h]
        return mean([-np.log(v if label else 1 - v) for v in y])

    def generator(self, p):
        early, fake = self.fakes(p)
        made, gap = [net(p["recovery"], f) for f in fake], []
        for t in range(T):
            real_t, made_t = (np.array([a[t] for a in s if len(a) > t]) for s in (self.x, made))
            gap += [np.abs(made_t.mean(0) - real_t.mean(0))]
            gap += [np.abs(np.sqrt(made_t.var(0) + 1e-6) - np.sqrt(real_t.var(0) + 1e-6))]
        adversarial = self.cross_entropy(p, fake, 1) + self.cross_entropy(p, early, 1)
        return adversarial + 100 * np.sqrt(self.supervised(p)) + 100 * 2 * np.mean(gap)

    def embedder(self, p):
        return self.embed(p) + 0.1 * self.supervised(p)

    def critic(self, p):
        early, fake = self.fakes(p)
        real = self.cross_entropy(p, [net(p["embedder"], x) for x in self.x], 1)
        return real + self.cross_entropy(p, fake, 0) + self.cross_entropy(p, early, 0)


def params_of(state):
    return jax.tree.map(np.asarray, {name: n.params for name, n in state.nets.items()})


def assert_slope(loss, params, name, after):
    """The gradient in Adam's first moment is the loss's slope along random directions; the update is Adam's first."""
    adam = after.nets[name].opt[0]
    assert int(adam.count) == 1
    gradient = jax.tree.map(lambda m: np.asarray(m) / 0.1, adam.mu)
    for _ in range(2):
        direction = jax.tree.map(lambda w: RNG.normal(size=w.shape), params[name])
        slope = sum(np.vdot(g, d) for g, d in zip(*map(jax.tree.leaves, (gradient, direction)), strict=True))
        ends = [
            params | {name: jax.tree.map(lambda w, d, s=s: w + s * d, params[name], direction)} for s in (1e-5, -1e-5)
        ]
        assert slope == pytest.approx((loss(ends[0]) - loss(ends[1])) / 2e-5, rel=1e-5, abs=1e-7), name
    expected = jax.tree.map(lambda w, g: w - 1e-3 * g / (np.abs(g) + 1e-8), params[name], gradient)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9), params_of(after)[name], expected)


@pytest.fixture(scope="module")
def steps():
    """One step of each phase from first weights, in float64: batch, the key of the noise, states and metrics."""
    with jax.enable_x64(True):
        task, steps = build(), {}
        state = jax.jit(task.init)(jax.random.key(0))
        state = jax.tree.map(lambda a: a.astype(float) if a.dtype.kind == "f" else a, state)
        for phase in task.phases:
            x = series(phase.batches_per_step)
            after, metrics = jax.jit(phase.step)(state, {"x": x}, jax.random.key(1))
            keys = jax.random.split(jax.random.key(1), 2)
            z = [np.asarray(noise.uniform(key, B, (T, F))) for key in keys]
            steps[phase.name] = x, z, state, after, {name: float(m) for name, m in metrics.items()}
        return steps


@pytest.mark.heavy
def test_embedding_descends_the_root_of_the_reconstructions_error(steps):
    (x,), z, before, after, metrics = steps["embed"]
    losses, params = Losses(x, z[0]), params_of(before)
    assert metrics["embedding/error"] == pytest.approx(losses.embed(params) / 10, rel=1e-9)
    for name in ("embedder", "recovery"):
        assert_slope(losses.embed, params, name, after)


@pytest.mark.heavy
def test_supervision_moves_the_supervisor_alone(steps):
    (x,), z, before, after, metrics = steps["supervise"]
    losses, params = Losses(x, z[0]), params_of(before)
    assert metrics["supervisor/error"] == pytest.approx(np.sqrt(losses.supervised(params)), rel=1e-9)
    assert_slope(losses.supervised, params, "supervisor", after)
    others = {name: value for name, value in params.items() if name != "supervisor"}
    jax.tree.map(np.testing.assert_array_equal, {name: params_of(after)[name] for name in others}, others)


@pytest.mark.heavy
def test_a_joint_step_moves_generator_then_embedder_then_critic(steps):
    x, z, before, after, metrics = steps["joint"]
    start, end = params_of(before), params_of(after)
    losses = Losses(x[0], z[0])
    assert metrics["generator/loss"] == pytest.approx(losses.generator(start), rel=1e-9)
    for name in ("generator", "supervisor"):
        assert_slope(losses.generator, start, name, after)
    moved = start | {name: end[name] for name in ("generator", "supervisor")}
    for name in ("embedder", "recovery"):
        assert_slope(losses.embedder, moved, name, after)
    losses, moved = Losses(x[1], z[1]), end | {"critic": start["critic"]}
    assert metrics["critic/loss"] == pytest.approx(losses.critic(moved), rel=1e-9)
    assert metrics["critic/moves"] == 1
    assert_slope(losses.critic, moved, "critic", after)


@pytest.mark.heavy
def test_a_critic_below_its_floor_stays_and_two_generator_steps_see_two_batches():
    task = build(critic_floor=100.0, generator_steps=2)
    (phase,) = (phase for phase in task.phases if phase.name == "joint")
    assert phase.batches_per_step == 3
    state = jax.jit(task.init)(jax.random.key(0))
    after, metrics = jax.jit(phase.step)(state, {"x": np.float32(series(3))}, jax.random.key(1))
    jax.tree.map(np.testing.assert_array_equal, after.nets["critic"], state.nets["critic"])
    assert metrics["critic/moves"] == 0
    assert int(after.nets["generator"].opt[0].count) == 2
    np.testing.assert_array_equal(after.extra["lengths"], 3 * np.bincount(LENGTHS, minlength=T + 1)[1:])
    np.testing.assert_array_equal([after.extra["low"], after.extra["high"]], [[-1, -1], [3, 3]])
    begun = phase.enter(after, None)
    assert {int(n.opt[0].count) for n in begun.nets.values()} == {0}


@pytest.mark.heavy
def test_samples_have_the_datas_range_and_lengths_and_averages_are_of_the_nets_that_make_them():
    task = build(ema__half_life=100.0)
    state = jax.jit(task.init)(jax.random.key(0))
    assert set(state.ema) == {"generator", "supervisor", "recovery"}
    extra = {"low": np.float32([10, -5]), "high": np.float32([20, -4]), "lengths": np.int32([0, 300, 0, 100, 0])}
    x = np.asarray(jax.jit(task.outputs["sample"])(state.replace(extra=extra), np.arange(400)))
    lengths = np.isfinite(x).all(-1).sum(1)
    assert set(lengths) == {2, 4}
    assert abs((lengths == 2).sum() - 300) < 6 * np.sqrt(400 * 0.75 * 0.25)
    assert (np.nanmin(x, (0, 1)) >= [10, -5]).all()
    assert (np.nanmax(x, (0, 1)) <= [20, -4]).all()
    with pytest.raises(InputError, match="uniform"):
        task.outputs["sample"](state, np.arange(2), truncation=0.5)


@pytest.mark.parametrize(
    ("shape", "overrides", "message"),
    [
        ((28, 28, 1), {}, "takes series"),
        ((1, 3), {}, "at least 2 steps"),
        ((T, F), {"recurrent__layers": 1}, "at least 2, since the supervisor"),
        ((T, F), {"loss__gamma": -1.0}, "loss.gamma=-1.0: expected 0 or more"),
        ((T, F), {"generator_steps": 0}, "generator_steps=0: expected 1 or more"),
    ],
)
def test_what_does_not_fit_is_refused(shape, overrides, message):
    with pytest.raises(InputError, match=message):
        tasks.build(config_of("timegan", **overrides), shape)
