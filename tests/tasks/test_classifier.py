"""A classifier's step is cross-entropy's, its outputs are what the nets of metrics need, and it learns."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call, leaves, run

from configs import classifier as config
from genjax import data, tasks
from genjax.engine.outputs import apply_in_batches
from genjax.errors import InputError
from genjax.ops import attack
from genjax.run.recorder import Recorder
from genjax.run.restore import restore
from genjax.run.training import train

SHAPE = (8, 8, 1)


def build(shape=SHAPE, **overrides):
    c = config.get_config("smoke")
    c.update_from_flattened_dict({key.replace("__", "."): value for key, value in overrides.items()})
    return tasks.build(c, shape)


def start(task):
    return jax.jit(task.init)(jax.random.key(0))


def examples(count, seed=0):
    """Images that are bright on the side of their class."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count).astype(np.int32)
    x = rng.integers(0, 100, (count, *SHAPE), np.uint8)
    for i, right in enumerate(label):
        x[i, :, 4 * right : 4 * right + 4] += 100
    return {"x": jnp.asarray(x)[None], "label": jnp.asarray(label)[None]}


def accuracy(task, state, x, labels):
    """The share of images whose most probable class is their label."""
    return float(np.mean(apply_in_batches(task.outputs["classify"], state, x).argmax(1) == labels))


@pytest.mark.heavy
def test_a_step_descends_the_cross_entropy():
    task = build(classes=2, classifier__dropout=0.0, optimizer__name="sgd", optimizer__learning_rate=0.1)
    state, batch = start(task), examples(8)

    def cross_entropy(params):
        trial = state.replace(nets={"classifier": state.nets["classifier"].replace(params=params)})
        p = task.outputs["classify"](trial, batch["x"][0])
        return -jnp.mean(jnp.log(p[jnp.arange(8), batch["label"][0]]))

    params = state.nets["classifier"].params
    value, slope = jax.jit(jax.value_and_grad(cross_entropy))(params)
    after, metrics = jax.jit(task.phases[0].step)(state, batch, jax.random.key(1))
    np.testing.assert_allclose(metrics["loss"], value, rtol=1e-5)
    for new, old, s in zip(*map(jax.tree.leaves, (after.nets["classifier"].params, params, slope)), strict=True):
        np.testing.assert_allclose(new, old - 0.1 * s, rtol=1e-4, atol=1e-6)
    assert after.step == 1


@pytest.mark.heavy
def test_a_classifier_learns():
    task = build(classes=2, optimizer__learning_rate=0.01)
    state, step = start(task), jax.jit(task.phases[0].step)
    for i in range(60):
        state, _ = step(state, examples(32, seed=i), jax.random.key(i))
    held_out = examples(50, seed=10**6)
    x, label = (np.asarray(held_out[name][0]) for name in ("x", "label"))
    assert accuracy(task, state, x, label) == 1
    assert accuracy(task, state, x, 1 - label) == 0
    assert accuracy(task, state, x, np.where(np.arange(50) < 10, label, 1 - label)) == pytest.approx(0.2)


@pytest.mark.heavy
def test_outputs_are_features_and_probabilities():
    task = build(classes=5, classifier__widths=(7,))
    state, x = start(task), examples(6)["x"][0]
    assert call(task.outputs["features"], state, x).shape == (6, 7)
    p = call(task.outputs["classify"], state, x)
    assert p.shape == (6, 5)
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)


@pytest.mark.heavy
def test_labels_outside_the_classes_stop_a_run():
    task = build(classes=2)
    batch = examples(8)
    _, metrics = jax.jit(task.phases[0].step)(start(task), {**batch, "label": batch["label"] + 1}, jax.random.key(0))
    assert np.isnan(metrics["loss"])


def test_what_cannot_be_classified_is_refused():
    with pytest.raises(InputError, match=r"points of shape \[2\]"):
        build(shape=(2,))
    with pytest.raises(InputError, match="classes=1"):
        build(classes=1)
    with pytest.raises(InputError, match="did you mean 'convnet'"):
        build(classifier__net="convnt")


@pytest.mark.slow
def test_a_fifth_of_the_config_knows_most_clothes(tmp_path):
    """0.861 of the packaged 2,000 when it was written; the whole config: 0.885."""
    result = run("genjax.train", "--config=configs/classifier.py", "--config.steps=320", f"--workdir={tmp_path}")
    assert result.code == 0, result.err
    test = data.open_source("fashion_mnist_10k", "test")
    assert accuracy(*restore(tmp_path), test.read(np.arange(test.size)), test.labels) > 0.8


@pytest.mark.heavy
def test_adversarial_training_descends_the_loss_of_examples_that_pgd_moves():
    task = build(
        classes=2,
        classifier__dropout=0.0,
        optimizer__name="sgd",
        adversarial__epsilon=0.1,
        adversarial__step=0.05,
        adversarial__steps=3,
    )
    state, batch, key = start(task), examples(8), jax.random.key(1)
    x, label = batch["x"][0] / 255.0, batch["label"][0]

    def cross_entropies(x):
        return -jax.nn.log_softmax(task.outputs["logits"](state, x))[jnp.arange(8), label]

    begin = attack.random_start(jax.random.split(key)[1], x, 0.1)
    moved = attack.pgd(cross_entropies, x, 0.1, 0.05, 3, begin)
    _, metrics = jax.jit(task.phases[0].step)(state, batch, key)
    np.testing.assert_allclose(metrics["loss"], cross_entropies(moved).mean(), rtol=1e-5)
    assert metrics["loss"] > cross_entropies(x).mean()


@pytest.mark.heavy
def test_logits_are_those_of_the_probabilities():
    task = build(classes=5)
    state, x = start(task), examples(6)["x"][0]
    np.testing.assert_allclose(
        jax.nn.softmax(call(task.outputs["logits"], state, x)), call(task.outputs["classify"], state, x), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"adversarial__epsilon": 8.0}, "epsilon=8.0: expected a number from 0"),
        ({"adversarial__epsilon": -0.1}, "epsilon=-0.1"),
        ({"adversarial__epsilon": 0.1, "adversarial__steps": 0}, "steps=0"),
        ({"adversarial__epsilon": 0.1, "adversarial__step": 0.0}, "step=0.0"),
    ],
)
def test_adversarial_trainings_that_cannot_be_are_refused(overrides, said):
    with pytest.raises(InputError, match=said):
        build(**overrides)


@pytest.mark.slow
def test_adversarial_training_that_was_cut_short_ends_at_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(Recorder, "report", lambda self: None)

    def trained(path, steps):
        c = config.get_config("smoke")
        c.update(steps=4, save_every=2, keep=4)
        c.adversarial.epsilon, c.eval.metrics, c.data.split = 0.1, "", "train[:50]"
        assert train(c, path) == 0
        return leaves(path, steps)

    whole = trained(tmp_path / "whole", 4)
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    shutil.rmtree(tmp_path / "cut" / "checkpoints" / "00000004")
    assert trained(tmp_path / "cut", 4) == whole
    assert trained(tmp_path / "cut", 2) != whole
