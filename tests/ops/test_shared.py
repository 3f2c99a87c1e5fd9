"""Weights' gradients in bfloat16: parts of devices, summed in float32."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import eight_devices

from genjax.engine.mesh import make_mesh, sharded
from genjax.ops.conv import conv, conv_transpose
from genjax.ops.shared import matmul, per_example, per_position


@pytest.fixture(scope="module")
def eight():
    with eight_devices() as call:
        yield call


LAYERS = {
    "matmul": (matmul, (8, 8), (8, 3)),
    "conv": (conv, (8, 1, 1, 8), (1, 1, 8, 3)),
    "bias": (lambda x, b: x + per_example(b, x), (8, 8), (8,)),
}


def gradient(name: str, devices: int) -> np.ndarray:
    """The gradient of a layer's weight, its example per device contributing 256 to one entry and 1 to all others."""
    layer, x_shape, w_shape = LAYERS[name]
    parts = (1 + 255 * jnp.eye(8, dtype=jnp.bfloat16)).reshape(x_shape)
    w = jnp.zeros(w_shape, jnp.bfloat16)
    x, y = (parts, None) if name != "bias" else (jnp.zeros_like(parts), parts)

    def backward(x, y):
        out, pull = jax.vjp(lambda w: layer(x, w), w)
        return pull(jnp.ones_like(out) if y is None else y)[0]

    mesh = make_mesh(jax.devices()[:devices])
    with jax.set_mesh(mesh):
        x, y = jax.device_put((x, y), sharded(mesh, 0))
        return np.asarray(jax.jit(backward)(x, y).astype(jnp.float32))


@pytest.mark.heavy
@pytest.mark.parametrize("name", LAYERS)
def test_parts_of_devices_are_summed_in_float32(name, eight):
    """256 + 7 * 1 = 263, which is 264 in bfloat16, where 256 + 1 is 256: sums in bfloat16 miss some entries."""
    np.testing.assert_array_equal(eight(gradient, name, 8), 264)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_values_and_gradients_of_gradients_are_those_of_the_plain_form(dtype):
    x, w, b = (jax.random.normal(jax.random.key(i), s, dtype) for i, s in enumerate([(4, 3, 6), (6, 5), (5,)]))

    def penalty(product, spread):
        def loss(w, b):
            slope = jax.grad(lambda x: jnp.sum(jnp.tanh(product(x, w) + spread(b, x)).astype(jnp.float32)))(x)
            return jnp.sum(slope.astype(jnp.float32) ** 2)

        return jax.grad(loss, (0, 1))(w, b)

    ours = penalty(matmul, per_example)
    plain = penalty(lambda x, w: x @ w, lambda b, x: b)
    for a, b in zip(ours, plain, strict=True):
        assert a.dtype == dtype
        scale = float(jnp.abs(b).max())
        np.testing.assert_allclose(
            a.astype(jnp.float32), b.astype(jnp.float32), atol=scale * (4 * float(jnp.finfo(dtype).eps)), rtol=0
        )


@pytest.mark.parametrize("channels", [(3,), ()])
def test_in_bfloat16_gradients_of_weights_and_styles_are_sums_in_float32(channels):
    """4,096 ones: in bfloat16 a running sum of ones stays at 256."""
    x = jnp.ones((1, 64, 64, 3), jnp.bfloat16)
    weight = jnp.ones(channels, jnp.bfloat16)
    gradient = jax.jit(jax.grad(lambda w: (x * per_example(w, x)).astype(jnp.float32).sum()))(weight)
    np.testing.assert_array_equal(gradient, np.full(channels, 4096 if channels else 12288))
    styles = jnp.ones((1, 3), jnp.bfloat16)
    of_styles = jax.jit(jax.grad(lambda s: (x * per_position(s)).astype(jnp.float32).sum()))(styles)
    np.testing.assert_array_equal(of_styles, np.full((1, 3), 4096))


def test_between_convolutions_in_bfloat16_a_cpu_computes_in_float32(monkeypatch):
    """1 + 2**-9 is 1 in bfloat16, so a second such step is lost wherever the first one was rounded."""
    x = jnp.ones((1, 4, 4, 1), jnp.bfloat16)
    w = jnp.ones((1, 1, 1, 1), jnp.bfloat16)
    bias = jnp.full((1,), 2**-9, jnp.bfloat16)

    def two_layers(layer, w):
        y = layer(x, w)
        y = y + per_example(bias, y) + per_example(bias, y)
        return y, layer(y, w)

    for layer in (conv, conv_transpose):
        between, after = two_layers(layer, w)
        assert between.dtype == after.dtype == jnp.float32
        np.testing.assert_array_equal(between, 1 + 2**-8)
        np.testing.assert_array_equal(after, 1)  # the second layer rounds, to even
    gradient = jax.grad(lambda w: two_layers(conv, w)[1].sum())(w)
    assert gradient.dtype == jnp.bfloat16
    monkeypatch.setattr("genjax.ops.backend.on_cpu", lambda: False)
    between, after = two_layers(conv, w)
    assert between.dtype == after.dtype == jnp.bfloat16
    np.testing.assert_array_equal(between.astype(jnp.float32), 1)
