"""The class as an input of critics and generators, written out in NumPy from their parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call

from genjax.nets import dcgan, mlp
from genjax.nets.critic import append_class
from genjax.nets.layers import ConditionalBatchNorm

GIVEN = np.eye(3, dtype=np.float32)[[0, 2, 1, 2]]


def filled(variables, seed=2):
    """Random parameters, biases too."""
    rng = np.random.default_rng(seed)
    params = jax.tree.map(lambda a: rng.normal(size=a.shape).astype(np.float32), variables["params"])
    return {**variables, "params": params}


def dense(layer, x):
    return x @ np.float64(layer["kernel"]) + np.float64(layer.get("bias", 0))


@pytest.fixture
def judgment():
    """A critic of two inputs with three features, by its conditioning: parameters, examples, logits, what it saw."""

    def judge(conditioning):
        critic = mlp.Critic(widths=(3,), activation="tanh", conditioning=conditioning)
        x = jax.random.normal(jax.random.key(1), (4, 2))
        variables = filled(jax.eval_shape(critic.init, jax.random.key(0), x, class_onehot=GIVEN))
        given = {"class_onehot": GIVEN, "mutable": ["critic_aux"]}
        logits, noticed = call(critic.apply, {"params": variables["params"]}, x, **given)
        return variables["params"], np.float64(x), logits, noticed["critic_aux"]

    return judge


@pytest.mark.heavy
def test_a_projection_critic_adds_the_product_of_features_and_the_class_vector(judgment):
    p, x, logits, seen = judgment("projection")
    features = np.tanh(dense(p["Dense_0"], x))
    expected = dense(p["Dense_1"], features)[:, 0] + (dense(p["Dense_2"], GIVEN) * features).sum(1)
    assert "bias" not in p["Dense_2"]
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen["features"], features, rtol=1e-5, atol=1e-6)


def test_an_auxiliary_critic_has_class_logits_and_a_logit_that_ignores_the_class(judgment):
    p, x, logits, seen = judgment("auxiliary")
    features = np.tanh(dense(p["Dense_0"], x))
    np.testing.assert_allclose(logits, dense(p["Dense_1"], features)[:, 0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen["classes"], dense(p["Dense_2"], features), rtol=1e-5, atol=1e-6)


def test_a_concatenating_critic_reads_the_one_hot_beside_the_example(judgment):
    p, x, logits, seen = judgment("concat")
    features = np.tanh(dense(p["Dense_0"], np.concatenate([x, GIVEN], 1)))
    np.testing.assert_allclose(logits, dense(p["Dense_1"], features)[:, 0], rtol=1e-5, atol=1e-6)
    assert "classes" not in seen


def test_beside_an_image_the_class_is_planes_of_ones_and_zeros():
    x = jnp.zeros((4, 2, 3, 1))
    planes = np.asarray(append_class(x, jnp.asarray(GIVEN)))
    assert planes.shape == (4, 2, 3, 4)
    for row, class_onehot in zip(planes, GIVEN, strict=True):
        assert (row[..., 1:] == class_onehot).all()


@pytest.mark.heavy
@pytest.mark.parametrize("shape", [(4, 5), (4, 3, 2, 5)])
def test_class_conditional_normalization_is_that_of_the_batch_with_the_scales_of_the_class(shape):
    x = 2 + 3 * jax.random.normal(jax.random.key(1), shape)
    layer = ConditionalBatchNorm()
    variables = filled(jax.jit(layer.init, static_argnums=2)(jax.random.key(0), x, True, GIVEN))
    scale, bias = (np.float64(variables["params"][name]) for name in ("scale", "bias"))
    assert scale.shape == bias.shape == (3, 5)
    y, moved = jax.jit(lambda v, x: layer.apply(v, x, True, GIVEN, mutable=["batch_stats"]))(variables, x)
    axes = tuple(range(len(shape) - 1))
    mean, var = np.float64(x).mean(axes), np.float64(x).var(axes)
    normal = (np.float64(x) - mean) / np.sqrt(var + 1e-3)
    for i, label in enumerate([0, 2, 1, 2]):
        np.testing.assert_allclose(y[i], normal[i] * scale[label] + bias[label], rtol=1e-4, atol=1e-5)
    running = jax.tree.leaves(moved["batch_stats"])
    np.testing.assert_allclose(running[0], 0.01 * mean, rtol=1e-4)
    np.testing.assert_allclose(running[1], 0.99 + 0.01 * var, rtol=1e-4)


@pytest.mark.heavy
def test_a_generator_normalized_by_class_uses_it_nowhere_else():
    """At the start all classes have one scale and offset: the images are those of no class."""
    z = jax.random.normal(jax.random.key(1), (4, 7))
    generator = dcgan.Generator((8, 8, 1), channels=(4, 3), conditioning="batch_norm")
    variables = jax.jit(generator.init)(jax.random.key(0), z, class_onehot=GIVEN)
    generate = jax.jit(lambda variables, class_onehot: generator.apply(variables, z, class_onehot=class_onehot))
    x = [generate(variables, class_onehot) for class_onehot in (GIVEN, GIVEN[::-1])]
    np.testing.assert_array_equal(*x)
    x = [generate(filled(variables), class_onehot) for class_onehot in (GIVEN, GIVEN[::-1])]
    assert (x[0] != x[1]).any()
