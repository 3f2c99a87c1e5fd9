"""Every remedy within a GAN's step, for linear nets on a few points, against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call, config_of

from genjax import tasks
from genjax.losses.penalty import PENALTIES
from genjax.ops import augment, noise
from genjax.tasks.adversarial.keys import CriticKeys, CriticLossKeys, GeneratorKeys, StepKeys, derive
from genjax.tasks.adversarial.setup import lazy_regularization_options

B, POINTS = 8, (2,)
X = np.random.default_rng(0).normal(2, 1, (B, 2)).astype(np.float32)
LABELS = np.array([0, 1, 2, 2, 1, 0, 0, 2])


def build(shape=POINTS, generator=None, critic=None, **overrides):
    """A GAN of linear nets, by default the Wasserstein one, moved by plain gradient descent."""
    config = config_of("gan")
    config.latent, config.loss.name = 3, "wasserstein"
    output = "linear" if shape == POINTS else "tanh"
    config.generator = {"net": "mlp", "widths": (), "output": output} | (generator or {})
    config.critic = {"net": "mlp", "widths": ()} | (critic or {})
    for net in ("generator", "critic"):
        config.optimizer[net].update(name="sgd", learning_rate=0.1)
    config.update_from_flattened_dict({key.replace("__", "."): value for key, value in overrides.items()})
    return tasks.build(config, shape)


STILL = {"optimizer__generator__learning_rate": 0.0, "optimizer__critic__learning_rate": 0.0}


def start(task, **layers):
    """A first state in which some layers of the nets are set: critic=[(kernel, bias), ...]."""
    state = jax.device_get(jax.jit(task.init)(jax.random.key(0)))
    for net, given in layers.items():
        params = dict(state.nets[net].params)
        for number, (kernel, bias) in enumerate(given):
            layer = params[f"Dense_{number}"]
            new = {"kernel": np.reshape(np.float32(kernel), layer["kernel"].shape)}
            new |= {} if bias is None else {"bias": np.full_like(layer["bias"], bias)}
            params[f"Dense_{number}"] = new
        state = state.replace(nets=state.nets | {net: state.nets[net].replace(params=params)})
    return state


def run(task, state, steps=1, x=X, labels=None):
    """The states and metrics after each of `steps` steps on the same reals."""
    step, reals = jax.jit(task.phases[0].step), task.phases[0].batches_per_step
    batch = {"x": np.stack([x] * reals)} | ({} if labels is None else {"label": np.stack([labels] * reals)})
    history = []
    for number in range(steps):
        state, metrics = jax.device_get(step(state, batch, jax.random.fold_in(jax.random.key(1), number)))
        history.append((state, metrics))
    return history


def layer(state, net, number=0):
    p = state.nets[net].params[f"Dense_{number}"]
    return np.float64(p["kernel"]), np.float64(p.get("bias", 0))


def same(a, b):
    assert all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


@pytest.fixture
def z(monkeypatch):
    """The latents of every batch of fakes, and of nothing else: noise of another shape is ones."""
    z = np.random.default_rng(1).normal(size=(B, 3)).astype(np.float32)
    monkeypatch.setattr(noise, "normal", lambda key, n, shape: z[:n] if shape == (3,) else jnp.ones((n, *shape)))
    return np.float64(z)


@pytest.mark.heavy
@pytest.mark.parametrize("clip", [0.0, 0.3])
def test_decaying_rates_and_weight_clipping_are_the_recursion_in_numpy(z, clip):
    """A linear Wasserstein GAN with two critic updates per step, whose updates have a closed form."""
    task = build(
        critic_steps=2,
        optimizer__generator__learning_rate=0.03,
        optimizer__generator__decay=5,
        optimizer__critic__learning_rate=0.2,
        optimizer__critic__decay=5,
        optimizer__critic__weight_clip=clip,
    )
    state = start(task)
    (w, b), (v, _) = layer(state, "generator"), layer(state, "critic")
    for n, (after, metrics) in enumerate(run(task, state, 6)):
        for update in range(2):
            fake = z @ w + b
            last = (fake @ v).mean() - (X @ v).mean()
            v = v - 0.2 * max(0, 1 - (2 * n + update) / 10) * (fake.mean(0) - X.mean(0))[:, None]
            v = np.clip(v, -clip, clip) if clip else v
        rate = 0.03 * max(0, 1 - n / 5)
        w, b = w + rate * z.mean(0)[:, None] * v.T, b + rate * v[:, 0]
        np.testing.assert_allclose(metrics["critic/loss"], last, rtol=1e-4, atol=1e-5)
        for ours, expected in ((layer(after, "generator"), (w, b)), (layer(after, "critic"), (v, 0))):
            np.testing.assert_allclose(ours[0], expected[0], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(ours[1], expected[1], rtol=1e-4, atol=1e-5)


@pytest.mark.heavy
def test_a_lazy_penalty_is_interval_times_the_plain_one_when_due_and_nothing_otherwise():
    task = build(penalty__r1=0.5, penalty__one_sided=2.0, penalty__interval=3, **STILL)
    history = [m for _, m in run(task, start(task, critic=[([2.0, 1.0], 0.0)]), 6)]
    r1, one_sided = 5 / 2, (np.sqrt(5) - 1) ** 2
    for number, metrics in enumerate(history):
        due = 3 * (number % 3 == 0)
        np.testing.assert_allclose(metrics["critic/r1"], due * r1, rtol=1e-5)
        np.testing.assert_allclose(metrics["critic/one_sided"], due * one_sided, rtol=1e-5)
        plain = metrics["critic/fake"] - metrics["critic/real"]
        np.testing.assert_allclose(metrics["critic/loss"] - plain, due * (0.5 * r1 + 2 * one_sided), atol=1e-4)
    np.testing.assert_allclose(np.mean([m["critic/r1"] for m in history]), r1, rtol=1e-5)


def test_only_the_critics_labels_of_reals_are_smoothed():
    task = build(loss__name="non_saturating", loss__label_smoothing=0.1, **STILL)
    _, metrics = run(task, start(task, critic=[([0.0, 0.0], 1.0)]))[0]
    p = 1 / (1 + np.exp(-1))
    expected = -(0.9 * np.log(p) + 0.1 * np.log(1 - p) + np.log(1 - p)) / 2
    np.testing.assert_allclose(metrics["critic/loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(metrics["generator/loss"], -np.log(p), rtol=1e-5)


@pytest.mark.heavy
@pytest.mark.parametrize("penalty", [0.0, 10.0])
def test_spectral_vectors_make_one_power_step_per_update(penalty):
    task = build(critic={"widths": (4,), "spectral": True}, penalty__gradient_penalty=penalty)
    first = start(task)
    state, _ = run(task, first)[0]
    for name in ("Dense_0", "Dense_1"):
        w = np.float64(first.nets["critic"].params[name]["kernel"])
        v = w @ np.float64(first.nets["critic"].stats["spectral"][name]["u"])
        u = w.T @ (v / np.linalg.norm(v))
        found = state.nets["critic"].stats["spectral"][name]["u"]
        np.testing.assert_allclose(found, u / np.linalg.norm(u), rtol=1e-5, atol=1e-6)


@pytest.mark.heavy
def test_the_replay_buffer_holds_the_newest_fakes_with_their_classes_and_fills_a_share_of_the_batch(z):
    task = build(classes=3, replay__capacity=8000, replay__share=0.25, critic={"conditioning": "projection"}, **STILL)
    weight = np.array([[2.0], [-1.0]])
    state = start(task, critic=[(weight, 0.0), (np.zeros((3, 2)), None)])
    ring = {"x": jnp.full((8000, 2), 7.0), "class_onehot": jnp.full((8000, 3), 1 / 3)}
    state = state.replace(step=jnp.int32(2000), extra={"replay": ring})  # twice round
    (w, b), given = layer(state, "generator"), np.eye(3)[LABELS]
    fakes = np.concatenate([z, given], 1) @ w + b
    (after, metrics), (later, _) = run(task, state, 2, labels=LABELS)
    for state, held in ((after, 8), (later, 16)):
        kept = state.extra["replay"]
        np.testing.assert_allclose(kept["x"][:held], np.tile(fakes, (held // 8, 1)), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(kept["class_onehot"][:held], np.tile(given, (held // 8, 1)))
        assert (kept["x"][held:] == 7).all()
    seen = np.concatenate([np.full((2, 2), 7.0), fakes[2:]]) @ weight  # draws miss the 8 new among 8000
    np.testing.assert_allclose(metrics["critic/fake"], seen.mean(), rtol=1e-5)


def test_instance_noise_falls_linearly_to_zero(z):
    task = build(instance_noise__std=2.0, instance_noise__steps=4, **STILL)
    history = run(task, start(task, critic=[([1.0, 0.0], 0.0)]), 6)
    left = [float(m["critic/real"]) - X[:, 0].mean() for _, m in history]  # noise is ones here
    np.testing.assert_allclose(left, [2, 1.5, 1, 0.5, 0, 0], atol=1e-5)
    same = build(instance_noise__std=2.0, **STILL)
    history = run(same, start(same, critic=[([1.0, 0.0], 0.0)]), 3)
    np.testing.assert_allclose([float(m["critic/real"]) - X[:, 0].mean() for _, m in history], 2, atol=1e-5)


@pytest.mark.heavy
@pytest.mark.parametrize("shape", [(2,), (2, 3, 2)])
def test_a_pack_is_of_consecutive_examples_on_the_channel_axis(shape):
    """Logits read one number of a pack, so that their mean tells which example and place it is of."""
    task, n = build(shape, packing=4, **STILL), np.prod(shape[:-1], dtype=int)
    x = np.random.default_rng(2).normal(size=(B, *shape)).astype(np.float32)
    for place, member, channel in ((0, 0, 0), (n - 1, 1, 1), (n // 2, 3, 0)):
        kernel = np.zeros((n, 4 * shape[-1]))
        kernel[place, member * shape[-1] + channel] = 1
        _, metrics = run(task, start(task, critic=[(kernel, 0.0)]), x=x)[0]
        expected = x.reshape(B, n, -1)[member::4, place, channel].mean()
        np.testing.assert_allclose(metrics["critic/real"], expected, rtol=1e-4, atol=1e-5)


def test_feature_matching_is_the_squared_distance_of_mean_features(z):
    task = build(loss__adversarial=0.0, loss__feature_matching=3.0, **STILL)
    state = start(task)
    w, b = layer(state, "generator")
    gap = X.mean(0) - (z @ w + b).mean(0)
    _, metrics = run(task, state)[0]
    np.testing.assert_allclose(metrics["generator/feature_matching"], (gap**2).sum(), rtol=1e-4)
    np.testing.assert_allclose(metrics["generator/loss"], 3 * (gap**2).sum(), rtol=1e-4)


@pytest.mark.heavy
def test_below_its_floor_the_critic_and_its_statistics_are_unchanged():
    given = {"loss__name": "non_saturating", "critic": {"spectral": True}, "optimizer__critic__name": "adam"}
    plain, low, high = (build(**given, critic_floor=floor) for floor in (0.0, 1e-3, 1e3))
    first = start(plain)
    moved, above, below = (run(task, first)[0] for task in (plain, low, high))
    same(above[0].nets, moved[0].nets)
    same(below[0].nets["critic"], first.nets["critic"])
    assert (layer(below[0], "generator")[0] != layer(first, "generator")[0]).any()
    assert (above[1]["critic/moves"], below[1]["critic/moves"]) == (1, 0)


@pytest.mark.heavy
def test_both_losses_use_augmented_examples_with_different_draws_for_reals_and_fakes(monkeypatch):
    draws = lambda x, key: 0 * x + noise.uniform(key, len(x), x.shape[1:])  # noqa: E731
    monkeypatch.setitem(augment.POLICIES, "color", draws)
    task = build((2, 2, 1), augment="color", **STILL)
    _, metrics = run(task, start(task, critic=[([1.0, 0, 0, 0], 0.0)]), x=np.full((B, 2, 2, 1), 50.0))[0]
    seen = [float(metrics[name]) for name in ("critic/real", "critic/fake")] + [-float(metrics["generator/loss"])]
    assert all(0 < mean < 1 for mean in seen)
    assert len(set(seen)) == 3


@pytest.mark.parametrize("names", [StepKeys, CriticKeys, CriticLossKeys, GeneratorKeys])
def test_named_keys_are_all_different_and_those_of_a_split(names):
    key = jax.random.key(3)
    keys = [tuple(jax.random.key_data(k).tolist()) for k in derive(names, key)]
    assert len(set(keys)) == len(keys)
    assert keys == [tuple(k) for k in jax.random.key_data(jax.random.split(key, len(keys))).tolist()]


@pytest.mark.heavy
def test_no_two_draws_of_a_step_share_a_key(monkeypatch):
    """JAX's split(key)[i] is fold_in(key, i): keys that are made in both ways from one must not meet."""
    seen = []

    def watched(draw):
        def watch(key, *args):
            jax.debug.callback(lambda data: seen.append(data.tobytes()), jax.random.key_data(key))
            return draw(key, *args)

        return watch

    for name in ("normal", "uniform"):
        monkeypatch.setattr(noise, name, watched(getattr(noise, name)))
    task = build(
        (4, 4, 1),
        augment="color,translation,cutout",
        instance_noise__std=0.1,
        penalty__gradient_penalty=1.0,
        replay__capacity=8,
    )
    run(task, start(task), x=np.zeros((B, 4, 4, 1), np.float32))
    jax.effects_barrier()
    assert len(seen) == 20  # latents twice, noise and three augmentations four times, interpolates, replay
    assert len(set(seen)) == len(seen)


@pytest.mark.heavy
def test_unrolling_by_one_is_the_derivative_through_a_step_of_the_critic(z):
    """arXiv:1611.02163, eqs. 7, 9 and 10 of a critic with a hidden layer, composed here from the definition."""
    task = build(critic={"widths": (4,), "activation": "tanh"}, loss__name="non_saturating", unroll=1)
    plain = build(critic={"widths": (4,), "activation": "tanh"}, loss__name="non_saturating")
    first = start(task)

    def generate(g):
        return jnp.float32(z) @ g["Dense_0"]["kernel"] + g["Dense_0"]["bias"]

    def probability(d, x):
        h = jnp.tanh(x @ d["Dense_0"]["kernel"] + d["Dense_0"]["bias"])
        return 1 / (1 + jnp.exp(-(h @ d["Dense_1"]["kernel"] + d["Dense_1"]["bias"])[:, 0]))

    def value(d, g):
        return -(jnp.log(probability(d, X)).mean() + jnp.log(1 - probability(d, generate(g))).mean()) / 2

    @jax.jit
    def descended(d, g):
        return jax.tree.map(lambda p, s: p - 0.1 * s, d, jax.grad(value)(d, g))

    g, d = (first.nets[name].params for name in ("generator", "critic"))
    d = descended(d, g)
    slope = jax.jit(jax.grad(lambda g: -jnp.log(probability(descended(d, g), generate(g))).mean()))(g)
    # Else the test would not tell: the slope that does not pass through the critic's step is another.
    short = jax.jit(jax.grad(lambda g, late: -jnp.log(probability(late, generate(g))).mean()))(g, descended(d, g))
    state, _ = run(task, first)[0]
    for name, expected in slope["Dense_0"].items():
        found = (g["Dense_0"][name] - state.nets["generator"].params["Dense_0"][name]) / 0.1
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    assert np.abs(slope["Dense_0"]["bias"] - short["Dense_0"]["bias"]).max() > 1e-3
    same(state.nets["critic"], run(plain, first)[0][0].nets["critic"])


@pytest.mark.heavy
def test_unrolling_by_adam_has_finite_slopes_and_leaves_the_critics_own_update_alone():
    """With ReLUs that are off, some of the critic's gradients are exactly zero."""
    given = {"critic": {"widths": (4,), "activation": "relu"}, "optimizer__critic__name": "adam"}
    task, plain = build(**given, unroll=3), build(**given)
    off = [(np.eye(2, 4), np.float32([0, 0, -50, -50])), (np.ones(4), 0.0)]
    first = start(plain, critic=off)
    (state, metrics), (other, _) = (run(t, first)[0] for t in (task, plain))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((state.nets, metrics)))
    same(state.nets["critic"], other.nets["critic"])
    assert (layer(state, "generator")[1] != layer(other, "generator")[1]).any()


@pytest.mark.heavy
def test_fakes_have_the_labels_of_the_reals_of_their_batch():
    """Fakes are a number of their class, the projection weighs them with another: the mean tells whether they meet."""
    task = build(classes=3, critic={"conditioning": "projection"}, **STILL)
    made = np.array([[1.0, 0.0], [0.0, 10.0], [-3.0, 2.0]])
    vectors = np.array([[1.0, 2.0], [-1.0, 0.5], [0.25, 4.0]])
    state = start(
        task,
        generator=[(np.concatenate([np.zeros((3, 2)), made]), 0.0)],
        critic=[(np.zeros(2), 0.0), (vectors, None)],
    )
    _, metrics = run(task, state, labels=LABELS)[0]
    np.testing.assert_allclose(metrics["critic/real"], (vectors[LABELS] * X).sum(1).mean(), rtol=1e-5)
    fake = (vectors[LABELS] * made[LABELS]).sum(1).mean()
    np.testing.assert_allclose([metrics["critic/fake"], -metrics["generator/loss"]], fake, rtol=1e-5)


@pytest.mark.heavy
def test_the_auxiliary_class_loss_is_in_both_losses():
    task = build(classes=3, critic={"conditioning": "auxiliary"}, loss__auxiliary=0.5, **STILL)
    made, head = np.random.default_rng(3).normal(size=(3, 2)), np.random.default_rng(4).normal(size=(2, 3))
    state = start(
        task,
        generator=[(np.concatenate([np.zeros((3, 2)), made]), 0.0)],
        critic=[(np.zeros(2), 0.0), (head, 0.0)],
    )
    _, metrics = run(task, state, labels=LABELS)[0]

    def cross_entropy(x):
        p = np.exp(x @ head)
        return -np.log(p[np.arange(B), LABELS] / p.sum(1)).mean()

    on_real, on_fake = cross_entropy(X), cross_entropy(made[LABELS])
    np.testing.assert_allclose(metrics["critic/classes"], on_real + on_fake, rtol=1e-4)
    np.testing.assert_allclose(metrics["critic/loss"], 0.5 * (on_real + on_fake), rtol=1e-4)
    np.testing.assert_allclose(metrics["generator/loss"], 0.5 * on_fake, rtol=1e-4)


@pytest.mark.heavy
def test_the_sample_of_a_seed_is_of_its_class():
    task = build(classes=3)
    kernel = np.zeros((6, 2))
    kernel[3:, 0] = [0, 1, 2]  # the first number of an example is its class, the second its first latent
    kernel[0, 1] = 1
    state = start(task, generator=[(kernel, 0.0)])
    seeds = jnp.array([7, 0, 5, 3, 1])
    found = call(task.outputs["sample"], state, seeds)
    np.testing.assert_allclose(found[:, 0], [1, 0, 2, 0, 1], atol=1e-6)
    handmade = np.float32([[0.5, 0, 0, 0, 0, 1], [-2, 1, 1, 0, 0.5, 0.5]])  # the second: between two classes
    np.testing.assert_allclose(call(task.outputs["decode"], state, handmade), [[2, 0.5], [1.5, -2]], atol=1e-6)


COMBINATIONS = {
    "one of each": {
        "classes": 3,
        "augment": "translation",
        "replay__capacity": 16,
        "unroll": 1,
        "critic_floor": 0.1,
        "penalty__r1": 1.0,
        "penalty__interval": 2,
        "critic_steps": 2,
        "ema__half_life": 50.0,
        "loss__feature_matching": 1.0,
        "critic": {"spectral": True, "conditioning": "auxiliary", "minibatch": "stddev"},
    },
    "packs": {
        "packing": 2,
        "instance_noise__std": 0.1,
        "critic": {"minibatch": "discrimination", "spectral": True},
        "unroll": 2,
        "replay__capacity": 16,
    },
    "short": {
        "dtype": "bfloat16",
        "classes": 3,
        "augment": "color,cutout",
        "replay__capacity": 16,
        "critic": {"spectral": True, "conditioning": "projection", "minibatch": "stddev_textbook"},
    },
    "penalties": {f"penalty__{name}": 1.0 for name in PENALTIES} | {"critic_steps": 2, "unroll": 1},
}


@pytest.mark.heavy
@pytest.mark.parametrize(
    "loss",
    [
        "minimax",
        "relativistic_hinge",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("hinge", "least_squares", "relativistic_average")),
    ],
)
@pytest.mark.parametrize("name", COMBINATIONS)
def test_remedies_combine_and_a_step_keeps_the_states_shapes_and_types(name, loss):
    task = build((8, 8, 1), loss__name=loss, **COMBINATIONS[name])
    state, reals = jax.eval_shape(task.init, jax.random.key(0)), task.phases[0].batches_per_step
    batch = {"x": jax.ShapeDtypeStruct((reals, B, 8, 8, 1), jnp.uint8), "label": jax.ShapeDtypeStruct((reals, B), int)}
    after, metrics = jax.eval_shape(task.phases[0].step, state, batch, jax.random.key(0))
    assert jax.tree.structure(after) == jax.tree.structure(state)
    for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(state), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
    assert all(m.shape == () and m.dtype == jnp.float32 for m in metrics.values())


@pytest.mark.heavy
def test_unrolling_a_critic_with_learning_rate_zero_is_the_plain_step():
    still = {"optimizer__critic__learning_rate": 0.0}
    plain, ahead = build(**still), build(**still, unroll=2)
    first = start(plain)
    (state, _), (other, _) = run(plain, first)[0], run(ahead, first)[0]
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.heavy
@pytest.mark.parametrize(("step", "due"), [(0, True), (1, False), (2, True)])
def test_a_separate_penalty_step_follows_the_step_by_the_loss(step, due):
    """R1 of a linear critic is |w|^2 / 2: w falls by rate x interval x weight x w, from where the loss led it.

    The rate is two thirds of what it is without: of three updates in two steps, each counts as two in two did.
    """
    plain = build(optimizer__critic__learning_rate=0.1)
    lazy = {
        "penalty__r1": 0.5,
        "penalty__interval": 2,
        "penalty__separate_step": True,
        "optimizer__critic__learning_rate": 0.15,
    }
    first = start(plain).replace(step=jnp.int32(step))
    of_loss = layer(run(plain, first)[0][0], "critic")[0]
    after, metrics = run(build(**lazy), first)[0]
    np.testing.assert_allclose(layer(after, "critic")[0], of_loss * (0.9 if due else 1), rtol=1e-5)
    np.testing.assert_allclose(metrics["critic/r1"], np.sum(of_loss**2) if due else 0, rtol=1e-5)


def test_lazy_regularization_rescales_adams_constants():
    """arXiv:1912.04958, appendix B: c = k / (k + 1) times the rate, and both betas to the power c."""
    given = {"name": "adam", "learning_rate": 0.002, "b1": 0.5, "b2": 0.99, "epsilon": 1e-8, "decay": 0}
    found = lazy_regularization_options(given, 16)
    assert found["learning_rate"] == pytest.approx(0.002 * 16 / 17)
    assert (found["b1"], found["b2"]) == pytest.approx((0.5 ** (16 / 17), 0.99 ** (16 / 17)))
    assert found["epsilon"] == 1e-8


# Accumulation


@pytest.mark.heavy
@pytest.mark.parametrize(
    "overrides",
    [
        {"penalty__r1": 0.3, "loss__name": "non_saturating"},
        {"penalty__r1": 0.3, "penalty__separate_step": True, "critic_steps": 2},
        {"replay__capacity": 16, "loss__name": "hinge"},
    ],
)
def test_microbatches_update_the_nets_as_the_whole_batch_does(overrides):
    """The gradient is the mean over microbatches. Random are only latents and replay, which are of the whole batch."""
    nets = {"generator": {"widths": (5,)}, "critic": {"widths": (5,)}}
    with jax.enable_x64(True):
        ends = []
        for count in (1, 4):
            task = build(grad_accum_steps=count, **nets, **overrides)
            first = jax.tree.map(lambda a: a.astype(float) if a.dtype == jnp.float32 else a, start(task))
            ends.append(run(task, first, steps=3, x=np.float64(X))[-1])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12), *ends)
