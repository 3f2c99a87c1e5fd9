"""No change of form has changed what training computes: arithmetic.json has the digests of today's programs."""

import arithmetic
import jax
import jax.numpy as jnp
import pytest


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in arithmetic.FAST else pytest.mark.slow) for case in arithmetic.CASES]
)
def test_a_step_keeps_the_state_gives_scalars_and_computes_what_it_computed(case):
    known, found = arithmetic.stored(), arithmetic.digests(case)
    if known["versions"] != arithmetic.versions():
        pytest.skip(f"digests are of {known['versions']}: python -m tests.arithmetic --renew")
    different = arithmetic.changed(found, known["digests"][case])
    assert not different, f"{different}: if that was meant, say so and run python -m tests.arithmetic --renew"


def test_a_digest_is_of_the_arithmetic_and_of_nothing_else():
    def plain(x, y):
        return {"a": jnp.tanh(x) * y, "b": jax.lax.cond(x.sum() > 0, lambda: x + 1, lambda: x - y)}

    def other_form(x, y):
        unused = jnp.exp(x)  # noqa: F841
        b, _ = jax.lax.cond(x.sum() > 0, jax.jit(lambda: (x + 1, y)), lambda: (x - y, y))
        return {"b": b, "a": jax.jit(lambda renamed: jax.jit(jnp.tanh)(renamed) * y)(x)}

    def in_a_loop(x, y):
        return jax.lax.scan(lambda c, _: (c * y, c), x, None, length=3)

    x = jnp.ones(3)
    expected = arithmetic.digest(plain, x, x)
    assert arithmetic.digest(other_form, x, x) == expected
    others = [
        lambda x, y: {**plain(x, y), "a": jnp.tanh(y) * y},  # another operand
        lambda x, y: {**plain(x, y), "a": jnp.tan(x) * y},  # another operation
        lambda x, y: {**plain(x, y), "b": jax.lax.cond(x.sum() > 0, lambda: x + 2, lambda: x - y)},  # a constant
        lambda x, y: {"c": plain(x, y)["a"], "b": plain(x, y)["b"]},  # another name
    ]
    assert len({expected, *(arithmetic.digest(f, x, x) for f in others)}) == 1 + len(others)
    short = x.astype(jnp.bfloat16)
    assert arithmetic.digest(in_a_loop, x, x) != arithmetic.digest(in_a_loop, short, short)
    assert arithmetic.digest(in_a_loop, x, x) != arithmetic.digest(lambda x, y: in_a_loop(y, x), x, x)
