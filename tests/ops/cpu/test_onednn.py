"""oneDNN's maps against plain `lax`, where the package of native/ is installed."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from convolutions import CASES, random_operands
from jax import lax

from genjax.engine.cost import cost
from genjax.ops import conv_maps
from genjax.ops.cpu import onednn

installed = pytest.mark.skipif("not onednn.installed()", reason="genjax-onednn (native/) is not installed")
C, T, W = conv_maps.closed(onednn.C, onednn.T, onednn.W)


@pytest.fixture(autouse=True)
def registered():
    if onednn.installed():
        onednn.register()


def close(ours, expected, tolerance):
    """Hold arrays to one another, to a share of the largest number."""
    ours, expected = np.float64(ours), np.float64(expected)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@installed
@pytest.mark.parametrize("cin", [1, 2, 17])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_map_equals_its_plain_twin(case, cin):
    g, x, w, y = random_operands(case, cin=cin)
    for ours, plain, operands in ((C, conv_maps.C, (x, w)), (T, conv_maps.T, (y, w)), (W, conv_maps.W, (x, y))):
        close(ours(g, *operands), plain(g, *operands), 2e-6)
        halves = [a.astype(jnp.bfloat16) for a in operands]
        result = ours(g, *halves)
        assert result.dtype == jnp.bfloat16
        close(result, plain(g, *(a.astype(jnp.float32) for a in halves)), 2.0**-8)  # one rounding, of the result


@installed
@pytest.mark.parametrize("channels", [(1, 70), (3, 64), (40, 33), (65, 16)], ids=str)
@pytest.mark.parametrize("batch", [1, 3, 32, 48])
@pytest.mark.parametrize("case", [*CASES, ((12, 70), (3, 5), (2, 1), "SAME", (2, 3))], ids=str)
def test_kernels_gradients_of_wide_layers_in_bfloat16_are_sums_in_float32(case, batch, channels):
    g, x, w, y = random_operands(case, batch, *channels)
    x, y = (a.astype(jnp.bfloat16) for a in (x, y))
    result = onednn._call(2, g, w.shape, jnp.float32, x, y)  # W before it is rounded
    close(result, conv_maps.W(g, *(a.astype(jnp.float32) for a in (x, y))), 2e-6)


@installed
@pytest.mark.parametrize("case", CASES[1:5], ids=str)
def test_second_derivatives_are_those_of_autodiff(case):
    g, x, w, _ = random_operands(case)

    def penalty(convolve):
        def of(w, x):
            slope = jax.grad(lambda x: jnp.sum(jnp.tanh(convolve(g, x, w))))(x)
            return jnp.sum(jnp.sin(slope))

        return jax.jit(jax.grad(of, argnums=(0, 1)))(w, x)

    for ours, theirs in zip(penalty(C), penalty(conv_maps.C), strict=True):
        close(ours, theirs, 1e-5)


@installed
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16], ids=["float32", "bfloat16"])
def test_calls_at_the_same_time_give_the_bits_of_one_alone(dtype):
    g, *operands = random_operands(((16, 16), (3, 3), (1, 1), "SAME", (1, 1)), batch=8, cin=32, cout=32)
    x, w, y = (a.astype(dtype) for a in operands)

    def several(x, w, y):  # powers of two change no rounding
        return [(C(g, x * n, w), T(g, y * n, w), W(g, x * n, y)) for n in (1, 2, 4, 8)]

    alone = C(g, x, w), T(g, y, w), W(g, x, y)
    program = jax.jit(several)
    for _ in range(20):
        for n, results in zip((1, 2, 4, 8), program(x, w, y), strict=True):
            jax.tree.map(np.testing.assert_array_equal, results, tuple(n * array for array in alone))


@installed
def test_gradients_survive_vmap_and_scan():
    g, x, w, _ = random_operands(CASES[2])

    def gradient(convolve):
        per_example = jax.vmap(jax.grad(lambda w, x: jnp.sum(jnp.tanh(convolve(g, x[None], w)) ** 2)), (None, 0))

        def step(w, _):
            return w - 0.01 * per_example(w, x).mean(0), jnp.sum(w)

        return jax.jit(lambda w: lax.scan(step, w, length=3))(w)

    for ours, theirs in zip(gradient(C), gradient(conv_maps.C), strict=True):
        close(ours, theirs, 1e-5)


@pytest.mark.parametrize("case", CASES[:3], ids=str)
def test_the_arithmetic_is_counted_as_that_of_the_plain_maps(case):
    g, x, w, y = random_operands(case)
    for ours, plain, operands in ((onednn.C, conv_maps.C, (x, w)), (onednn.W, conv_maps.W, (x, y))):
        one, other = (cost(lambda *xs, f=f: f(g, *xs), *operands).flops for f in (ours, plain))
        assert one == other


PROGRAM = """
import jax, jax.numpy as jnp
from genjax.ops.conv import conv
print("genjax_convolution" in str(jax.make_jaxpr(conv)(jnp.ones((1, 4, 4, 2)), jnp.ones((3, 3, 2, 2)))))
"""


@installed
@pytest.mark.parametrize(
    ("environment", "used"),
    [({}, True), ({"GENJAX_ONEDNN": "0"}, False), ({"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}, False)],
)
def test_one_device_uses_it_unless_it_is_told_not_to(environment, used, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(used)
