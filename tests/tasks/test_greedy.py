"""A layer's phase is an autoencoder's of the latents below and moves nothing else; the stack is the composition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call, config_of

from genjax import tasks
from genjax.engine.phase import scheduled_phases
from genjax.errors import InputError

SHAPE = (4, 5, 1)


def build(shape=SHAPE, **overrides):
    given = {"widths": (6, 4, 3), "optimizer__learning_rates": (0.1, 0.2, 0.3)}
    return tasks.build(config_of("ae_greedy", **given | overrides), shape)


def start(task):
    return jax.device_get(jax.jit(task.init)(jax.random.key(0)))


def batch(seed=0):
    x = np.random.default_rng(seed).integers(0, 256, (1, 8, *SHAPE), np.uint8)
    return {"x": x}


def dense(layer, x):
    return x @ layer["kernel"] + layer["bias"]


def same(a, b):
    return jax.tree.all(jax.tree.map(np.array_equal, a, b))


def test_there_is_a_net_and_a_phase_for_each_layer():
    task = build(steps=7, finetune__steps=5)
    assert list(start(task).nets) == ["layer_1", "layer_2", "layer_3"]
    names = [(span.phase.name, span.start, span.stop) for span in scheduled_phases(task)]
    assert names == [("layer_1", 0, 7), ("layer_2", 7, 14), ("layer_3", 14, 21), ("finetune", 21, 26)]
    assert [phase.name for phase in build(finetune__steps=0).phases] == ["layer_1", "layer_2", "layer_3"]


@pytest.mark.heavy
def test_a_layers_phase_changes_no_bit_of_the_others():
    task = build()
    state = start(task)
    for phase in task.phases[:3]:
        after, _ = jax.device_get(jax.jit(phase.step)(state, batch(), jax.random.key(1)))
        changed = [name for name in state.nets if not same(state.nets[name], after.nets[name])]
        assert changed == [phase.name]
        state = after
    after, _ = jax.jit(task.phases[3].step)(state, batch(), jax.random.key(1))
    assert not any(same(state.nets[name].params, after.nets[name].params) for name in state.nets)


@pytest.mark.heavy
def test_phases_descend_their_losses():
    """The first, the second and the last phase against their losses written out."""
    task, data = build(finetune__learning_rate=0.4), batch()
    state, x = start(task), data["x"][0].reshape(8, -1) / 255
    params = {name: net.params for name, net in state.nets.items()}

    def up(p, i, x):
        return jax.nn.selu(dense(p[f"layer_{i}"]["encoder_0"], x))

    def down(p, i, z):
        return dense(p[f"layer_{i}"]["decoder_0"], z)

    def cross_entropy(logits):
        y = 1 / (1 + jnp.exp(-logits))
        return -jnp.mean(x * jnp.log(y) + (1 - x) * jnp.log(1 - y))

    def first(p):
        return cross_entropy(down(p, 1, up(p, 1, x)))

    def second(p):
        below = up(params, 1, x)
        return jnp.mean((jax.nn.selu(down(p, 2, up(p, 2, below))) - below) ** 2)

    def stack(p):
        z = up(p, 3, up(p, 2, up(p, 1, x)))
        return cross_entropy(down(p, 1, jax.nn.selu(down(p, 2, jax.nn.selu(down(p, 3, z))))))

    for number, loss, rate, layers in ((0, first, 0.1, [1]), (1, second, 0.2, [2]), (3, stack, 0.4, [1, 2, 3])):
        value, slope = jax.device_get(jax.jit(jax.value_and_grad(loss))(params))
        after, metrics = jax.jit(task.phases[number].step)(state, data, jax.random.key(1))
        np.testing.assert_allclose(metrics[f"{task.phases[number].name}/loss"], value, rtol=1e-5)
        for name in (f"layer_{i}" for i in layers):
            expected = jax.tree.map(lambda p, s, rate=rate: p - rate * s, params[name], slope[name])
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), after.nets[name].params, expected
            )


@pytest.mark.heavy
def test_the_stack_is_the_composition_of_its_layers():
    task = build()
    state, x = start(task), batch()["x"][0]
    selu, p = jax.jit(jax.nn.selu), {name: net.params for name, net in state.nets.items()}
    z = x.reshape(8, -1) / 255
    for name in ("layer_1", "layer_2", "layer_3"):
        z = selu(dense(p[name]["encoder_0"], z))
    np.testing.assert_allclose(call(task.outputs["encode"], state, x), z, rtol=1e-5, atol=1e-6)
    y = z
    for name in ("layer_3", "layer_2"):
        y = selu(dense(p[name]["decoder_0"], y))
    y = jax.nn.sigmoid(dense(p["layer_1"]["decoder_0"], y)).reshape(x.shape)
    np.testing.assert_allclose(call(task.outputs["reconstruct"], state, x), 255 * y, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(call(task.outputs["decode"], state, z), 255 * y, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("overrides", "shape", "message"),
    [
        ({"widths": ()}, SHAPE, "at least one width"),
        ({"widths": (6, 4)}, SHAPE, "a rate for each"),
        ({"activation": "seul"}, SHAPE, "did you mean 'selu'"),
        ({"optimizer__name": "sdg"}, SHAPE, "did you mean 'sgd'"),
        ({"finetune__steps": -1}, SHAPE, "finetune.steps=-1"),
        ({}, (2,), "expected images"),
    ],
)
def test_choices_that_do_not_exist_or_fit_are_refused(overrides, shape, message):
    with pytest.raises(InputError, match=message):
        build(shape, **overrides)
