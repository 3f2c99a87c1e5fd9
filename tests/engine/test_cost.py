"""The cost of a program by its jaxpr, against counts by hand, the benchmark's arithmetic and XLA's allocations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from experiments.benchmarks.workloads import WORKLOADS
from genjax import tasks
from genjax.engine.cost import cost
from genjax.engine.loop import shapes
from genjax.nets import dcgan

FLOAT = 4


def ones(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def test_products_loops_and_branches():
    def repeated(a):
        return jax.lax.scan(lambda x, _: (a @ x, None), a, length=10)[0]

    def either(a):
        return jax.lax.cond(a[0, 0] > 0, lambda: a @ a @ a, lambda: a @ a)

    assert cost(jnp.matmul, ones(5, 7), ones(7, 3)).flops == 2 * 5 * 7 * 3
    assert cost(repeated, ones(4, 4)).flops == 10 * 2 * 4**3
    assert cost(jax.jit(either), ones(4, 4)).flops == 2 * 2 * 4**3


def test_a_branch_of_every_nth_step_counts_as_its_share_of_the_mean():
    def step(n, a):
        due = jax.lax.cond(n % 4 == 0, lambda: a @ a @ a, lambda: a @ a)
        return due + jax.lax.cond(n > 4, lambda: a @ a, lambda: a)

    found = cost(step, jax.ShapeDtypeStruct((), jnp.int32), ones(4, 4))
    assert found.flops == 3 * 2 * 4**3
    assert found.mean_flops == (1.25 + 1) * 2 * 4**3


@pytest.mark.heavy
def test_the_mean_of_a_stylegan2_is_that_of_its_intervals():
    """R1 every 16th step, path lengths every 4th: what each adds, from configs without the other."""
    costs, small = {}, {"augment": "", "generator__layers": 1, "generator__channels": (6,)}
    for r1, weight in ((0.0, 0.0), (0.2, 0.0), (0.0, 2.0), (0.2, 2.0)):
        lazy = {"penalty__separate_step": bool(r1), "penalty__r1": r1, "path_length__weight": weight}
        config = config_of("stylegan2", **lazy, **small, critic__channels=(6,))
        task = tasks.build(config, (4, 4, 3))
        phase = task.phases[0]
        batch = {"x": jax.ShapeDtypeStruct((1, phase.batch, 4, 4, 3), jnp.uint8)}
        key = jax.eval_shape(lambda: jax.random.key(0))
        costs[r1, weight] = cost(phase.step, shapes(task), batch, key)
    plain = costs[0.0, 0.0].mean_flops
    slopes, paths = (costs[case].flops - plain for case in ((0.2, 0.0), (0.0, 2.0)))
    assert costs[0.2, 2.0].flops == plain + slopes + paths
    assert costs[0.2, 2.0].mean_flops == pytest.approx(plain + slopes / 16 + paths / 4)


@pytest.mark.parametrize("part", ["generator", "critic"])
def test_a_forward_pass_is_the_benchmarks_arithmetic(part):
    """Strides, kernels and transposed convolutions counted there by hand."""
    nets = {"generator": (dcgan.Generator((28, 28, 1)), ones(6, 100)), "critic": (dcgan.Critic(), ones(6, 28, 28, 1))}
    net, x = nets[part]
    variables = jax.eval_shape(net.init, jax.random.key(0), x)
    flops = cost(net.apply, variables, x).flops
    assert flops == pytest.approx(6 * WORKLOADS["dcgan"].nets[part].flops, rel=0.04)  # some padding is not multiplied


def test_memory_is_that_of_the_results_needed_at_one_time():
    size = 100 * FLOAT
    chain = cost(lambda x: jnp.sin(jnp.sin(jnp.sin(x))), ones(100))
    assert chain.peak == 2 * size  # a result and its operand; x itself belongs to the caller
    product = cost(lambda x: jnp.sin(x) * jnp.sin(jnp.sin(jnp.sin(x) + 1)), ones(100))
    assert product.peak == 3 * size
    broadcast = cost(lambda x: jnp.sin(x)[None] * jnp.ones((50, 1)), ones(100))
    assert broadcast.peak == 51 * size  # the broadcast is fused into the product


def test_memory_is_between_once_and_twice_the_memory_that_xla_allocates():
    """XLA computes the derivative of tanh where it is used; the jaxpr stores it beside the value."""

    def loss(ws, x):
        for w in ws:
            x = jnp.tanh(x @ w)
        return jnp.sum(x**2)

    ws, x = [ones(64, 64)] * 6, ones(4096, 64)
    program = jax.jit(jax.grad(loss))
    memory = program.lower(ws, x).compile().memory_analysis()
    assert 1 < cost(program, ws, x).peak / (memory.temp_size_in_bytes + memory.output_size_in_bytes) < 2.2


def test_rematerialization_trades_memory_for_arithmetic():
    def loss(remat, ws, x):
        def layer(w, x):
            return jnp.tanh(jnp.tanh(x @ w) * 2)

        for w in ws:
            x = (jax.checkpoint(layer) if remat else layer)(w, x)
        return jnp.sum(x)

    ws, x = [ones(8, 8)] * 6, ones(1024, 8)
    plain, lean = (cost(jax.grad(lambda ws, x, remat=remat: loss(remat, ws, x)), ws, x) for remat in (False, True))
    assert lean.peak < 0.75 * plain.peak
    assert 1.2 * plain.flops < lean.flops < 1.5 * plain.flops
    assert np.isscalar(lean.flops)
