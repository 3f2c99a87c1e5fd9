"""The LSTM is its recursion in NumPy; padding is without effect on latents, loss and slope."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import call

from configs import ae_recurrent
from genjax import tasks
from genjax.errors import InputError
from genjax.nets.lstm import LSTM
from genjax.nets.recurrent_autoencoder import Recurrent

WIDTH, STEPS, NUMBERS = 5, 7, 3


def draw(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def recursion(params, x):
    """h of each step, in float64 and Keras' order of gates."""
    w, u, b = (np.float64(params[name]) for name in ("kernel", "recurrent_kernel", "bias"))
    h = c = np.zeros((len(x), WIDTH))
    out = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ w + h @ u + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.stack(out, 1)


@pytest.mark.heavy
def test_the_layer_is_its_recursion():
    x, layer = draw(4, STEPS, NUMBERS), LSTM(WIDTH)
    variables = call(layer.init, jax.random.key(0), x)
    np.testing.assert_allclose(call(layer.apply, variables, x), recursion(variables["params"], x), rtol=1e-5, atol=1e-6)


def test_weights_begin_as_in_keras():
    params = call(LSTM(WIDTH).init, jax.random.key(0), draw(1, STEPS, NUMBERS))["params"]
    assert {name: p.shape for name, p in params.items()} == {
        "kernel": (NUMBERS, 4 * WIDTH),
        "recurrent_kernel": (WIDTH, 4 * WIDTH),
        "bias": (4 * WIDTH,),
    }
    np.testing.assert_array_equal(params["bias"].reshape(4, WIDTH).sum(1), [0, WIDTH, 0, 0])
    u = params["recurrent_kernel"]
    np.testing.assert_allclose(u @ u.T, np.eye(WIDTH), atol=1e-6)  # orthogonal
    assert jnp.abs(params["kernel"]).max() <= np.sqrt(6 / (NUMBERS + 4 * WIDTH))  # Glorot's bound


def test_a_repeated_input_is_the_same_input_at_every_step():
    z, layer = draw(4, NUMBERS), LSTM(WIDTH)
    variables = call(layer.init, jax.random.key(0), z[:, None])
    again = call(layer.apply, variables, np.repeat(z[:, None], STEPS, 1))
    np.testing.assert_allclose(call(layer.apply, variables, z, repeat=STEPS), again, rtol=1e-6, atol=1e-7)


def build(steps, **overrides):
    c = ae_recurrent.get_config("smoke")
    c.update_from_flattened_dict({key.replace("__", "."): value for key, value in overrides.items()})
    return tasks.build(c, (steps, NUMBERS))


LENGTHS = np.array([7, 4, 1, 6])


def padded(steps):
    """Four series of LENGTHS, marked as `genjax.data.series` does."""
    x = np.full((4, steps, NUMBERS), np.nan, np.float32)
    x[:, :STEPS] = draw(4, STEPS, NUMBERS)
    x[np.arange(steps) >= LENGTHS[:, None]] = np.nan
    return x


def learn(task, x):
    """Loss and slope of the first step, the slope as what SGD of rate 0.1 took off."""
    state = jax.jit(task.init)(jax.random.key(0))
    after, metrics = jax.jit(task.phases[0].step)(state, {"x": jnp.asarray(x)[None]}, jax.random.key(1))
    pairs = zip(*(jax.tree.leaves(s.nets["autoencoder"].params) for s in (state, after)), strict=True)
    return float(metrics["loss"]), [np.asarray(old - new) / 0.1 for old, new in pairs]


@pytest.mark.heavy
def test_padding_changes_neither_latents_nor_loss_nor_gradient():
    short, long = build(STEPS), build(2 * STEPS)
    state = jax.jit(short.init)(jax.random.key(0))  # the weights do not depend on the number of steps
    latents = call(short.outputs["encode"], state, padded(STEPS))
    np.testing.assert_allclose(latents, call(long.outputs["encode"], state, padded(2 * STEPS)), rtol=2e-6)
    for row, length in enumerate(LENGTHS):
        alone = padded(STEPS)[row : row + 1, :length]
        np.testing.assert_allclose(
            call(build(length).outputs["encode"], state, alone)[0], latents[row], rtol=1e-6, atol=1e-7
        )
    (loss, slope), (longer_loss, longer_slope) = learn(short, padded(STEPS)), learn(long, padded(2 * STEPS))
    assert loss == pytest.approx(longer_loss, rel=1e-6)
    for a, b in zip(slope, longer_slope, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, atol=2e-6)


@pytest.mark.heavy
def test_the_loss_is_a_mean_over_numbers_that_are_no_padding():
    task, x = build(STEPS, loss="mse", autoencoder__output="linear"), padded(STEPS)
    state = jax.jit(task.init)(jax.random.key(0))
    y = call(task.outputs["reconstruct"], state, x)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(x))
    assert learn(task, x)[0] == pytest.approx(np.nanmean((np.float64(y) - x) ** 2), rel=1e-5)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["gaussian", "dropout"])
def test_corruption_does_not_change_padding(name):
    task, x = build(STEPS, corruption__name=name, corruption__amount=0.5), padded(STEPS)
    seen = call(task.outputs["corrupt"], None, x)
    np.testing.assert_array_equal(np.isnan(seen), np.isnan(x))
    assert np.isfinite(learn(task, x)[0])


@pytest.mark.heavy
def test_rows_of_an_image_are_steps():
    net, x = Recurrent((6, 4, 2), (5, 3)), draw(2, 6, 4, 2)
    variables = call(net.init, jax.random.key(0), x)
    z = call(net.apply, variables, x, method="encode")
    assert z.shape == (2, 3)
    assert call(net.apply, variables, z, method="decode").shape == x.shape
    series = Recurrent((6, 8), (5, 3))
    np.testing.assert_allclose(call(series.apply, variables, x.reshape(2, 6, 8), method="encode"), z, rtol=1e-6)


def test_points_are_refused():
    for shape, widths in (((9,), (5, 3)), ((6, 4), (5,))):
        with pytest.raises(InputError, match="expected series"):
            Recurrent(shape, widths).init(jax.random.key(0), np.zeros((1, *shape), np.float32))


def test_weights_in_bfloat16_take_what_a_convolution_returns_on_a_cpu():
    net = LSTM(3)
    x = jnp.ones((2, 5, 4))
    variables = jax.tree.map(lambda a: a.astype(jnp.bfloat16), net.init(jax.random.key(0), x))
    of_float32 = net.apply(variables, x)
    assert of_float32.dtype == jnp.bfloat16
    np.testing.assert_array_equal(of_float32, net.apply(variables, x.astype(jnp.bfloat16)))
