"""The filter of the package of native/, where it is installed, against the forms of `ops.resample` in float64."""

import sys
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.errors import InputError
from genjax.ops import backend
from genjax.ops.cpu import filters, onednn
from genjax.ops.resample import BINOMIAL, SMOOTH, Filter, upfirdn2d

installed = pytest.mark.skipif("not onednn.installed()", reason="genjax-onednn (native/) is not installed")
X = np.random.default_rng(0).normal(size=(3, 7, 6, 5))
USES = [
    (BINOMIAL, {}),
    (SMOOTH, {"pad": 1}),
    (SMOOTH, {"pad": -1}),
    (SMOOTH, {"down": 2}),
    (SMOOTH, {"up": 2}),
    (SMOOTH, {"up": 4}),
    (SMOOTH, {"up": 3, "down": 2}),
    ((1, 2), {"pad": -3}),
    ((1, 2, 4, 2, 1), {"pad": 5}),
    (range(1, 10), {"up": 2, "down": 3}),
]
TYPES = [jnp.float32, jnp.bfloat16]


@pytest.fixture(autouse=True)
def registered():
    if onednn.installed():
        onednn.register()


def plain(x, *args, **options):
    """The filter in float64 by `lax`, as on another backend."""
    with jax.enable_x64(True), backend.writing_for("any"):
        return upfirdn2d(jnp.asarray(x, jnp.float64), *args, **options)


def close(ours, expected, dtype):
    """Within float32's rounding of four to nine summands, and one rounding to the type."""
    tolerance = 1e-6 + (2.0**-8 if dtype == jnp.bfloat16 else 0)
    np.testing.assert_allclose(np.float64(ours), expected, rtol=0, atol=tolerance * np.abs(expected).max())


@installed
@pytest.mark.parametrize(
    "dtypes", [(a, b) for a in TYPES for b in TYPES], ids=lambda t: f"{t[0].__name__} {t[1].__name__}"
)
@pytest.mark.parametrize(("taps", "options"), USES, ids=str)
def test_it_is_its_plain_twin(taps, options, dtypes):
    x = jnp.asarray(X, dtypes[0])
    y, transpose = jax.vjp(lambda x: upfirdn2d(x, taps, **options, dtype=dtypes[1]), x)
    assert "genjax_filter" in str(jax.make_jaxpr(lambda x: upfirdn2d(x, taps, **options))(x))
    assert (y.dtype, transpose(y)[0].dtype) == dtypes[::-1]
    close(y, plain(x, taps, **options), dtypes[1])
    with jax.enable_x64(True):
        expected = jax.vjp(lambda x: plain(x, taps, **options), jnp.asarray(x, jnp.float64))[1](jnp.float64(y))[0]
    close(transpose(y)[0], expected, dtypes[0])


@installed
def test_second_derivatives_are_those_of_autodiff():
    def slopes(x):
        return jax.grad(lambda x: jnp.square(jax.grad(lambda x: jnp.sin(upfirdn2d(x, SMOOTH)).sum())(x)).sum())(x)

    x = jnp.asarray(X, jnp.float32)
    with jax.enable_x64(True), backend.writing_for("any"):
        expected = slopes(jnp.asarray(x, jnp.float64))
    close(jax.jit(slopes)(x), expected, jnp.float32)


@installed
def test_examples_and_channels_do_not_mix_and_calls_repeat():
    x = jnp.asarray(np.random.default_rng(1).normal(size=(9, 33, 31, 19)), jnp.float32)
    program = jax.jit(lambda x: upfirdn2d(x, SMOOTH, pad=1))
    y = program(x)
    np.testing.assert_array_equal(program(x[4:5, ..., 7:8])[0, ..., 0], y[4, ..., 7])
    np.testing.assert_array_equal(jax.vmap(program)(x[:, None])[:, 0], y)
    assert all((program(x) == y).all() for _ in range(10))


@installed
def test_what_is_no_number_stays_so():
    x = jnp.zeros((1, 4, 4, 1)).at[0, 1, 1].set(jnp.nan).at[0, 3, 3].set(jnp.inf)
    for dtype in TYPES:
        y = upfirdn2d(x, BINOMIAL, dtype=dtype)[0, ..., 0]
        assert jnp.isnan(y[:3, :3]).all()
        assert jnp.isposinf(y[3, 3])
        assert y[3, 0] == 0


@installed
def test_a_filter_that_it_does_not_know_is_refused_or_left_to_xla():
    x = jnp.asarray(X, jnp.float32)
    long = tuple(range(1, 18))
    assert "genjax_filter" not in str(jax.make_jaxpr(lambda x: upfirdn2d(x, long))(x))
    for f in (Filter(long, 1, 1, ((8, 8), (8, 8)), (7, 6)), Filter((1.0,), 1, 1, ((0, 0), (17, 0)), (7, 6))):
        with pytest.raises(jax.errors.JaxRuntimeError, match="at most 16 taps and 16 zeros"):
            filters.filtered(f, jnp.float32, x).block_until_ready()


def test_an_older_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "genjax_onednn", SimpleNamespace(register=lambda name: pytest.fail("registered")))
    monkeypatch.setattr(onednn, "version", lambda name: "0.1.0")
    with pytest.raises(InputError, match=r"genjax-onednn 0\.1\.0 has no genjax_convolution, genjax_filter.*native"):
        onednn.register.__wrapped__()
