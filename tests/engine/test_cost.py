"""What a program costs by its jaxpr: counts by hand, the benchmark's arithmetic, and what XLA sets aside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmarks.works import WORKS
from genjax.engine.cost import cost
from genjax.nets import dcgan

FLOAT = 4


def ones(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def test_products_loops_and_branches():
    product = lambda a, b: a @ b  # noqa: E731
    assert cost(product, ones(5, 7), ones(7, 3)).flops == 2 * 5 * 7 * 3
    repeated = lambda a: jax.lax.scan(lambda x, _: (a @ x, None), a, length=10)[0]  # noqa: E731
    assert cost(repeated, ones(4, 4)).flops == 10 * 2 * 4**3
    either = lambda a: jax.lax.cond(a[0, 0] > 0, lambda: a @ a @ a, lambda: a @ a)  # noqa: E731
    assert cost(jax.jit(either), ones(4, 4)).flops == 2 * 2 * 4**3


@pytest.mark.parametrize("part", ["generator", "critic"])
def test_a_forward_pass_is_the_benchmarks_arithmetic(part):
    """Strides, kernels and transposed convolutions counted there by hand."""
    nets = {"generator": (dcgan.Generator((28, 28, 1)), ones(6, 100)), "critic": (dcgan.Critic(), ones(6, 28, 28, 1))}
    net, x = nets[part]
    variables = jax.eval_shape(net.init, jax.random.key(0), x)
    found = cost(net.apply, variables, x).flops
    assert found == pytest.approx(6 * WORKS["dcgan"].nets[part].flops, rel=0.04)  # some padding is not multiplied


def test_memory_is_of_what_is_needed_at_one_time():
    size = 100 * FLOAT
    x = ones(100)
    chain = lambda x: jnp.sin(jnp.sin(jnp.sin(x)))  # noqa: E731
    assert cost(chain, x).peak == 2 * size  # a result, and what it is of; x itself is the caller's
    kept = lambda x: jnp.sin(x) * jnp.sin(jnp.sin(jnp.sin(x) + 1))  # noqa: E731
    assert cost(kept, x).peak == 3 * size
    seen = lambda x: jnp.sin(x)[None] * jnp.ones((50, 1))  # noqa: E731
    assert cost(seen, x).peak == 51 * size  # not the hundred and first, of a broadcast


def test_memory_is_between_once_and_twice_what_xla_sets_aside():
    """XLA computes tanh's slope where it is used; the jaxpr keeps it beside the value."""

    def loss(ws, x):
        for w in ws:
            x = jnp.tanh(x @ w)
        return jnp.sum(x**2)

    ws, x = [ones(64, 64)] * 6, ones(4096, 64)
    program = jax.jit(jax.grad(loss))
    found = program.lower(ws, x).compile().memory_analysis()
    assert 1 < cost(program, ws, x).peak / (found.temp_size_in_bytes + found.output_size_in_bytes) < 2.2


def test_rematerialization_trades_memory_for_arithmetic():
    def loss(remat, ws, x):
        layer = lambda w, x: jnp.tanh(jnp.tanh(x @ w) * 2)  # noqa: E731
        for w in ws:
            x = (jax.checkpoint(layer) if remat else layer)(w, x)
        return jnp.sum(x)

    ws, x = [ones(8, 8)] * 6, ones(1024, 8)
    plain, lean = (cost(jax.grad(lambda ws, x, remat=remat: loss(remat, ws, x)), ws, x) for remat in (False, True))
    assert lean.peak < 0.75 * plain.peak
    assert 1.2 * plain.flops < lean.flops < 1.5 * plain.flops
    assert np.isscalar(lean.flops)
