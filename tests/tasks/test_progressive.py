"""GANs that grow: the schedule, the reals of each stage, one compilation per phase, refusals."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import COMPILED, config_of

from genjax import data, tasks
from genjax.data.feed import Feed
from genjax.data.source import in_memory
from genjax.engine import loop
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import scheduled_phases
from genjax.errors import InputError
from genjax.nets.progan import Critic, Generator
from genjax.run.fit import fit
from genjax.tasks import progressive

pytestmark = pytest.mark.heavy

SHAPE = (8, 8, 1)
SMALL = {
    "data__name": "fashion_mnist_10k",
    "data__split": "train[:64]",
    "data__size": "8",
    "data__resize": "squash",
    "growth__start": 4,
    "growth__batches": (),
    "growth__stable": 0.016,
    "latent": 6,
    "generator": {"net": "progan", "channels": (6, 4)},
    "critic": {"net": "progan", "channels": (6, 4)},
}
SGD = {"name": "sgd", "learning_rate": 0.01}
compiled = []
jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name))


def small(**overrides):
    """4x4: 2 steps; 8x8: 2 of fading, 4 more."""
    given = {key: overrides.pop(key, value) for key, value in SMALL.items()}
    nets = {key: given.pop(key) for key in ("generator", "critic")}
    config = config_of("progan", **given, **overrides)
    config.generator, config.critic = nets["generator"], nets["critic"]
    return config


def test_the_papers_schedule():
    """600 thousand reals each, from 4x4 to 1024x1024 with its minibatches: arXiv:1710.10196, appendix A."""
    c = progressive.config().unlock()
    c.growth.batches, c.steps = (16, 16, 16, 16, 16, 16, 14, 6, 3), 1000
    parts = progressive.schedule(c, [(2**n, 2**n) for n in range(2, 11)])
    assert [part.name for part in parts[:4]] == ["4x4", "8x8 fade", "8x8", "16x16 fade"]
    assert [part.size[0] for part in parts] == [4, *(side for n in range(3, 11) for side in (2**n, 2**n))]
    assert len(parts) == 17
    assert all(0 <= part.steps * part.batch - 600_000 < part.batch for part in parts[:-1])
    assert parts[-1].steps == 1000
    assert all(a.start + a.steps == b.start for a, b in pairwise(parts))


@pytest.mark.parametrize(
    ("size", "stages", "start", "names"),
    [
        ((16, 24), 3, 4, ["4x6", "8x12 fade", "8x12", "16x24 fade", "16x24"]),
        ((12, 24), 2, 4, ["6x12", "12x24 fade", "12x24"]),
        ((12, 24), 2, 6, ["6x12", "12x24 fade", "12x24"]),
        ((24, 12), 3, 6, ["12x6", "24x12 fade", "24x12"]),
    ],
)
def test_rectangles_grow_from_their_own_start(size, stages, start, names):
    c = small(growth__start=start)
    sizes = [(size[0] >> i, size[1] >> i) for i in reversed(range(stages))]
    parts = progressive.schedule(c, sizes)
    assert [part.name for part in parts] == names
    assert all(part.size == sizes[part.stage] for part in parts)


def test_without_growth_there_is_one_phase():
    config = small(growth__start=8)
    assert [span.phase.name for span in scheduled_phases(tasks.build(config, SHAPE))] == ["8x8"]


def test_phases_of_no_reals_are_left_out():
    assert [p.name for p in tasks.build(small(growth__fade=0.0), SHAPE).phases] == ["4x4", "8x8"]
    assert [p.name for p in tasks.build(small(growth__stable=0.0), SHAPE).phases] == ["8x8 fade", "8x8"]


@pytest.fixture(scope="module")
def run():
    """The states after each phase of a small run, and how many programs each phase compiled."""
    config = small(growth__batches=(8, 4))
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    original, calls, states, first = loop.compile_phase, [], {}, None

    def spy(*args, **options):
        calls.append(original(*args, **options))
        return calls[-1]

    loop.compile_phase = spy
    try:
        first = jax.device_get(loop.initial_state(task, 0, make_mesh()))
        for chunk in fit(task, source, boundaries=(1,)):
            states[chunk.step] = jax.device_get(chunk.state)
    finally:
        loop.compile_phase = original
    return task, first, states, [call._cache_size() for call in calls]


def test_a_phase_compiles_once_although_alpha_changes(run):
    task, _, states, sizes = run
    assert [phase.steps for phase in task.phases] == [2, 4, 4]
    assert len(states) == 10
    assert sizes == [1, 1, 1]


def test_layers_of_later_stages_are_unchanged(run):
    _, first, states, _ = run
    for net in ("generator", "critic"):
        before, after, later = (state.nets[net].params for state in (first, states[2], states[10]))
        later_ones = [name for name in before if name.startswith(("convs_1", "to_rgb_1", "from_rgb_1"))]
        assert later_ones
        for name in later_ones:
            jax.tree.map(np.testing.assert_array_equal, before[name], after[name])
            assert np.abs(before[name]["kernel"] - later[name]["kernel"]).max() > 0, name


def test_adam_is_reset_at_a_new_stage_and_kept_within_it(run):
    _, _, states, _ = run
    counts = {step: int(state.nets["critic"].opt[0].count) for step, state in states.items()}
    assert [counts[step] for step in (2, 3, 6, 7, 10)] == [2, 1, 4, 5, 8]


def test_samples_of_early_stages_are_blocks_of_the_full_size(run):
    task, _, states, _ = run
    sample = jax.jit(task.outputs["sample"])
    x = sample(states[2], jnp.arange(3))
    assert x.shape == (3, *SHAPE)
    np.testing.assert_array_equal(x[:, ::2, ::2], x[:, 1::2, 1::2])
    late = sample(states[10], jnp.arange(3))
    assert np.any(late[:, ::2, ::2] != late[:, 1::2, 1::2])


def test_a_seed_is_one_image_whatever_the_others(run):
    task, _, states, _ = run
    sample = jax.jit(task.outputs["sample"])
    np.testing.assert_array_equal(sample(states[10], jnp.array([5, 2]))[1], sample(states[10], jnp.arange(2, 4))[0])


def test_the_samples_are_the_last_stage_itself_when_all_is_grown(run):
    task, _, states, _ = run
    state = states[10].replace(ema={})
    net = progressive.build(small(), SHAPE)  # another closure, the same net
    z = jax.jit(task.outputs["latents"])(state, jnp.arange(4))
    plain = jax.jit(lambda variables, z: (Generator(SHAPE, (6, 4)).apply(variables, z) + 1) * 127.5)
    found = jax.jit(net.outputs["decode"])(state, z)
    np.testing.assert_array_equal(found, plain(state.nets["generator"].variables, z))


def test_reals_fade_as_fakes_do(monkeypatch):
    """At alpha, reals are that much themselves and the rest of them with half the pixels (figure 2 of the paper)."""
    setups = []
    monkeypatch.setattr(progressive, "make_step", setups.append)
    tasks.build(small(growth__batches=(16, 8)), SHAPE)
    x = np.random.default_rng(0).integers(0, 256, (4, *SHAPE), np.uint8)
    exact = np.float64(x) / 127.5 - 1
    half = exact.reshape(4, 4, 2, 4, 2, 1).mean((2, 4))
    assert (setups[1].shape, setups[1].batch) == (SHAPE, 8)
    first, fading, last = (setup.players.preprocess_real for setup in setups)
    np.testing.assert_allclose(first(x, 0), half, atol=1e-6)
    start, steps = 1, 2  # of 4x4 with batch 16 one step, of fading two
    for step in range(start, start + steps):
        alpha = (step - start) / steps
        expected = alpha * exact + (1 - alpha) * half.repeat(2, 1).repeat(2, 2)
        np.testing.assert_allclose(fading(x, step), expected, atol=1e-6)
    np.testing.assert_allclose(last(x, 99), exact, atol=1e-6)


@pytest.mark.parametrize("shape", [SHAPE, (8, 12, 1), (12, 6, 1)])
def test_reals_that_are_shrunk_when_they_are_read_are_the_same_to_the_bit(monkeypatch, shape):
    """Means of whole numbers below 256 over blocks of 2, 4, ... pixels a side have no rounding in float32."""
    setups = []
    monkeypatch.setattr(progressive, "make_step", setups.append)
    task = tasks.build(small(), shape)
    x = np.random.default_rng(0).integers(0, 256, (20, *shape), np.uint8)
    source, mesh = in_memory("noise", "train", x, None), make_mesh()
    assert [phase.image_size for phase in task.phases] == [shape[0] // 2, shape[0], shape[0]]
    for setup, span in zip(setups, scheduled_phases(task), strict=True):
        seen = []
        for resident in (0, 2**30):
            feed = Feed(source, 0, mesh, resident)
            batches = feed.batches(span, span.start, 1)
            batch = feed.take_batch(feed.resident_data, jax.tree.map(lambda a: a[0], batches.take(1)))
            seen.append(np.asarray(setup.players.preprocess_real(batch["x"][0], span.start + 1)))
            batches.close()
        assert seen[0].shape[1:] == setup.shape
        np.testing.assert_array_equal(*seen)
        assert feed.capacity(span, 99) == 99


@pytest.mark.slow  # test_conditional has drift in its sum of a critic's loss
def test_drift_is_the_weighted_mean_square_of_the_reals_logits():
    """arXiv:1710.10196, appendix A.1: in the loss, and nothing else changes."""
    values = {}
    for drift in (0.0, 10.0):
        task = tasks.build(small(growth__start=8, loss__drift=drift), SHAPE)
        x = np.random.default_rng(0).integers(0, 256, (1, 8, *SHAPE), np.uint8)
        state = task.init(jax.random.key(0))
        critic = state.nets["critic"]
        _, metrics = jax.jit(task.phases[0].step)(state, {"x": jnp.asarray(x)}, jax.random.key(1))
        values[drift] = float(metrics["critic/loss"])
    logits = Critic((6, 4)).apply(critic.variables, jnp.asarray(np.float32(x[0] / 127.5 - 1)))
    assert values[10.0] - values[0.0] == pytest.approx(10 * np.mean(np.square(logits)), rel=1e-4)


PLAIN = {f"optimizer__{net}__{key}": value for net in ("generator", "critic") for key, value in SGD.items()}


def test_the_optimizers_of_a_phase_have_the_rate_of_its_size(monkeypatch):
    setups = []
    monkeypatch.setattr(progressive, "make_step", setups.append)
    tasks.build(small(**PLAIN, growth__learning_rates=(0.02, 0.03)), SHAPE)
    slope = np.ones(2, np.float32)
    for setup, rate in zip(setups, (0.02, 0.03, 0.03), strict=True):  # 4x4, 8x8 while it fades in, 8x8
        for net in ("generator", "critic"):
            optimizer = setup.optimizers[net]
            np.testing.assert_allclose(optimizer.update(slope, optimizer.init(slope), slope)[0], -rate * slope)


@pytest.mark.slow  # the test before this one sees the same lines
def test_each_size_can_have_a_learning_rate_of_its_own():
    """A step of gradient descent is the gradient times the rate, so from one state it is that many times as long."""
    tasks_of = [tasks.build(small(**PLAIN, growth__learning_rates=rates), SHAPE) for rates in ((), (0.02, 0.03))]
    state = jax.jit(tasks_of[0].init)(jax.random.key(0))
    x = {"x": np.random.default_rng(0).integers(0, 256, (1, 8, *SHAPE), np.uint8)}
    for number, factor in ((0, 2.0), (2, 3.0)):  # 4x4, and 8x8 after its fade
        steps = [jax.jit(task.phases[number].step)(state, x, jax.random.key(1))[0] for task in tasks_of]
        one, other = (
            np.concatenate([np.ravel(a - b) for a, b in zip(*map(jax.tree.leaves, pair), strict=True)])
            for pair in ((after.nets["critic"].params, state.nets["critic"].params) for after in steps)
        )
        np.testing.assert_allclose(other, factor * one, rtol=1e-2, atol=1e-5)
        assert np.abs(one).max() > 1e-3


def test_adams_state_is_reset_at_both_ends_of_a_fade_on_request():
    for both in (False, True):
        task = tasks.build(small(growth__reset_after_fade=both), SHAPE)
        assert [phase.enter.__name__ == "reset_optimizers" for phase in task.phases] == [False, True, both]
    state = jax.jit(task.init)(jax.random.key(0))
    used = state.replace(nets=jax.tree.map(lambda a: a + 1, state.nets))
    reset = task.phases[2].enter(used, jax.random.key(0))
    for net in ("generator", "critic"):
        assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(reset.nets[net].opt))
        assert reset.nets[net].params is used.nets[net].params


REFUSED = {
    "rates": (r"growth.learning_rates=\(0.001,\): expected 2 numbers", {"growth__learning_rates": (0.001,)}),
    "a rate in words": (r"growth.learning_rates=\('a', 'b'\)", {"growth__learning_rates": ("a", "b")}),
    "a rate of none": (r"growth.learning_rates=\(0.001, 0.0\)", {"growth__learning_rates": (0.001, 0.0)}),
    "a start that is none": (r"growth.start=6: expected 4, 8, the shorter sides", {"growth__start": 6}),
    "a start beyond the data": (r"growth.start=16", {"growth__start": 16}),
    "batches": (r"growth.batches=\(8,\): expected 2 numbers.*4, 8 pixels", {"growth__batches": (8,)}),
    "a batch of none": (r"growth.batches=\(8, 0\)", {"growth__batches": (8, 0)}),
    "negative reals": (r"growth.fade=-1.0", {"growth__fade": -1.0}),
    "groups": (
        r"groups of 4, which do not divide the 6 examples per microbatch at 8x8 pixels",
        {"growth__batches": (8, 6)},
    ),
    "classes that there are not": (
        r"critic.conditioning='class_logit' needs classes",
        {"critic": {"net": "progan", "channels": (6, 4), "conditioning": "class_logit"}},
    ),
    "packing": (r"packing=2 is not for nets that grow", {"packing": 2}),
    "replay": (r"replay.capacity=100 is not for nets that grow", {"replay__capacity": 100}),
    "drift": (r"loss.drift=-1.0: expected 0 or more", {"loss__drift": -1.0}),
    "the critic's channels": (
        r"critic.channels=\(4,\): expected 2 numbers",
        {"critic": {"net": "progan", "channels": (4,)}},
    ),
    "a field": (r"did you mean 'minibatch'", {"critic": {"net": "progan", "channels": (6, 4), "minbatch": ""}}),
    "a net": (r"no 'dcgan'.*'progan'", {"generator": {"net": "dcgan"}}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_impossible_configs_are_refused_before_anything_is_compiled(what):
    message, overrides = REFUSED[what]
    config, before = small(**overrides), compiled.count(COMPILED)
    with pytest.raises(InputError, match=message):
        tasks.build(config, SHAPE)
    assert compiled.count(COMPILED) == before


def test_data_that_doubling_does_not_make_are_refused():
    with pytest.raises(InputError, match=r"images of 30x30: set data.size"):
        tasks.build(small(), (30, 30, 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["progan", "msggan", "stylegan", "stylegan2"])
def test_a_step_at_256_pixels(name):
    """Nets of tiny channels, a batch in two parts, maps computed again: a finite step, and images of that size."""
    channels = (4, 4, 4, 3, 3, 2, 2)
    config = config_of(name, data__name="shapes_256", data__size="", batch=4, grad_accum_steps=2, remat=True)
    config.generator.channels = config.critic.channels = channels
    if "growth" in config:
        config.growth.start = 256
    shape = data.load(config.data).shape
    task = tasks.build(config, shape)
    state = jax.jit(task.init)(jax.random.key(0))
    x = jnp.asarray(data.load(config.data).read(np.arange(4)))[None]
    after, metrics = jax.jit(task.phases[0].step)(state, {"x": x}, jax.random.key(1))
    assert all(np.isfinite(value) for value in metrics.values())
    assert task.outputs["sample"](after, jnp.arange(2)).shape == (2, 256, 256, 3)
