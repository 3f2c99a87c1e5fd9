"""The classifier begins with the autoencoder's encoder; its control sees the same batches and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call, config_of

from genjax import tasks
from genjax.errors import InputError

SHAPE = (4, 5, 1)


def build(shape=SHAPE, **overrides):
    return tasks.build(config_of("pretrain_classifier", **overrides), shape)


def start(task):
    return jax.device_get(jax.jit(task.init)(jax.random.key(0)))


def batch(seed=0):
    rng = np.random.default_rng(seed)
    x, label = rng.integers(0, 256, (1, 8, *SHAPE), np.uint8), rng.integers(0, 10, (1, 8), np.int32)
    return {"x": x, "label": label}


def same(a, b):
    return jax.tree.all(jax.tree.map(np.array_equal, a, b))


def classifying(task):
    """The state when the labeled phases begin, after one step of pretraining."""
    state, _ = jax.jit(task.phases[0].step)(start(task), batch(), jax.random.key(1))
    return jax.jit(task.phases[1].enter)(state, jax.random.key(2))


def test_a_part_of_the_classifiers_steps_is_frozen():
    def phases(frozen):
        return [(p.name, p.steps, p.subset) for p in build(steps=10, labels=30, frozen=frozen).phases]

    pretrain = ("pretrain", 4, 0)
    assert phases(0.3) == [pretrain, ("classify", 3, 30), ("finetune", 7, 30)]
    assert phases(1.0) == [pretrain, ("classify", 10, 30)]
    assert phases(0.0) == [pretrain, ("finetune", 10, 30)]


@pytest.mark.heavy
@pytest.mark.parametrize("net", [{"net": "dense", "widths": (6, 4)}, {"net": "conv", "channels": (3,)}])
def test_pretraining_moves_the_autoencoder_alone_and_hands_its_encoder_over(net):
    task = build(autoencoder=net)
    before = start(task)
    after, _ = jax.jit(task.phases[0].step)(before, batch(), jax.random.key(1))
    assert [name for name in before.nets if not same(before.nets[name], after.nets[name])] == ["autoencoder"]
    state = jax.jit(task.phases[1].enter)(after, jax.random.key(2))
    encoder = state.nets["classifier"].params["encoder"]
    assert all(name.startswith("encoder_") for name in encoder)
    assert all(same(encoder[name], after.nets["autoencoder"].params[name]) for name in encoder)
    assert same(state.nets["scratch"], before.nets["scratch"])
    heads = [{k: v for k, v in state.nets[n].params.items() if k != "encoder"} for n in ("classifier", "scratch")]
    assert same(*heads)


@pytest.mark.heavy
def test_a_frozen_encoder_keeps_its_bits_and_a_finetuned_one_does_not():
    task = build(frozen=0.5)
    state = classifying(task)
    for phase, frozen in ((task.phases[1], True), (task.phases[2], False)):
        after, _ = jax.jit(phase.step)(state, batch(), jax.random.key(3))
        for name, held in (("classifier", frozen), ("scratch", False)):
            old, new = state.nets[name].params, after.nets[name].params
            assert same(old["encoder"], new["encoder"]) == held
            assert not same(old["logits"], new["logits"])
        assert same(state.nets["autoencoder"], after.nets["autoencoder"])


@pytest.mark.heavy
def test_a_step_descends_the_cross_entropy_of_each_net():
    task = build(frozen=0.0, optimizer__name="sgd", optimizer__learning_rate=0.1)
    state, data = classifying(task), batch()
    x, label = data["x"][0].reshape(8, -1) / 255, data["label"][0]

    def cross_entropy(p):
        h = x
        for layer in (p["encoder"]["encoder_0"], p["encoder"]["encoder_1"], p["hidden_0"]):
            h = jax.nn.selu(h @ layer["kernel"] + layer["bias"])
        e = jnp.exp(h @ p["logits"]["kernel"] + p["logits"]["bias"])
        return -jnp.mean(jnp.log((e / e.sum(1, keepdims=True))[jnp.arange(8), label]))

    after, metrics = jax.device_get(jax.jit(task.phases[1].step)(state, data, jax.random.key(1)))
    for name, output in (("classifier", "classify"), ("scratch", "classify_scratch")):
        params = state.nets[name].params
        value, slope = jax.device_get(jax.jit(jax.value_and_grad(cross_entropy))(params))
        np.testing.assert_allclose(metrics[f"{name}/loss"], value, rtol=1e-5)
        jax.tree.map(
            lambda new, old, s: np.testing.assert_allclose(new, old - 0.1 * s, rtol=1e-4, atol=1e-6),
            after.nets[name].params,
            params,
            slope,
        )
        p = np.asarray(call(task.outputs[output], state, data["x"][0]))
        np.testing.assert_allclose(-np.log(p[jnp.arange(8), label]).mean(), value, rtol=1e-5)
        assert metrics[f"{name}/accuracy"] == (p.argmax(1) == label).mean()
    assert call(task.outputs["features"], state, data["x"][0]).shape == (8, 6)


@pytest.mark.heavy
def test_equal_encoders_give_equal_classifiers():
    """So that a difference between the two is pretraining's alone."""
    task = build(frozen=0.0)
    state = start(task)
    state = state.replace(nets=state.nets | {"classifier": state.nets["scratch"]})
    after, _ = jax.jit(task.phases[1].step)(state, batch(), jax.random.key(1))
    assert same(after.nets["classifier"], after.nets["scratch"])


@pytest.mark.parametrize(
    ("overrides", "shape", "message"),
    [
        ({"classes": 1}, SHAPE, "classes=1"),
        ({"frozen": 1.5}, SHAPE, "a share from 0 to 1"),
        ({"pretrain__loss": "mse"}, SHAPE, "expected bce with sigmoid"),
        ({"autoencoder__net": "dens"}, SHAPE, "did you mean 'dense'"),
        ({"classifier__net": "conv"}, SHAPE, "classifier.net"),
        ({}, (2,), "needs images"),
    ],
)
def test_choices_that_do_not_exist_or_fit_are_refused(overrides, shape, message):
    with pytest.raises(InputError, match=message):
        build(shape, **overrides)
