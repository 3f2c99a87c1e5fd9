"""Nets compute in bfloat16, and nothing in the state is of that type."""

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.engine.precision import computing_in
from genjax.errors import InputError

SHAPE = (28, 28, 1)
PRODUCTS = ("dot_general", "conv_general_dilated")


def first_step(name, dtype):
    task = tasks.build(config_of(name, dtype=dtype), SHAPE)
    phase = task.phases[0]
    pixels = np.random.default_rng(0).integers(0, 256, (phase.batches_per_step, phase.batch, *SHAPE), dtype=np.uint8)
    state = jax.jit(task.init)(jax.random.key(0))
    step = jax.jit(phase.step).trace(state, {"x": jnp.asarray(pixels)}, jax.random.key(1))
    return state, step, {"x": jnp.asarray(pixels)}


def operands(jaxpr):
    """The types that matrix products and convolutions take, in a program and all that it calls."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name in PRODUCTS:
            yield from (str(v.aval.dtype) for v in eqn.invars)
        for inner in jax.extend.core.jaxprs_in_params(eqn.params):
            yield from operands(inner)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["gan", "dcgan", "wgan_gp"])
def test_every_product_is_in_bfloat16_and_the_whole_state_in_float32(name):
    state, step, batch = first_step(name, "bfloat16")
    assert set(operands(step.jaxpr.jaxpr)) == {"bfloat16"}
    after, metrics = step.lower().compile()(state, batch, jax.random.key(1))
    assert jax.tree.map(lambda a: a.dtype, after) == jax.tree.map(lambda a: a.dtype, state)
    assert {m.dtype for m in metrics.values()} == {jnp.dtype("float32")}
    moved = jax.tree.map(lambda a, b: np.any(a != b), after.nets["generator"].params, state.nets["generator"].params)
    assert any(jax.tree.leaves(moved))


@pytest.mark.heavy
def test_losses_agree_with_those_of_float32_to_the_three_digits_of_bfloat16():
    long, short = (
        step.lower().compile()(state, batch, jax.random.key(1))[1]
        for state, step, batch in (first_step("dcgan", dtype) for dtype in ("float32", "bfloat16"))
    )
    for name in long:
        np.testing.assert_allclose(short[name], long[name], rtol=0.02, atol=0.02, err_msg=name)
        assert short[name] != long[name]


def test_float32_is_the_function_itself_and_other_types_are_refused():
    assert computing_in("float32", first_step) is first_step  # any function
    with pytest.raises(InputError, match="float61"):
        computing_in("float61", first_step)
