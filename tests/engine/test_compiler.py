"""Options for the compiler of the target alone, and the folder of compiled programs."""

import jax
import pytest

from genjax.engine import compiler
from genjax.ops import backend
from genjax.ops.cpu.options import ONCE, OPTIONS


@pytest.mark.parametrize(("target", "expected", "once"), [("cpu", OPTIONS, ONCE), ("gpu", {}, {}), ("tpu", {}, {})])
def test_only_cpu_has_options(target, expected, once, monkeypatch):
    monkeypatch.setattr(backend, "target", lambda: target)
    assert compiler.options() == expected
    for without, options in ((False, once), (True, {})):
        monkeypatch.setattr(jax.config, "read", {"jax_disable_most_optimizations": without}.__getitem__)
        assert compiler.options(once=True) == options


def test_a_folder_named_by_the_user_stays_and_otherwise_it_is_in_the_users_cache(monkeypatch):
    changes = {}
    monkeypatch.setattr(jax.config, "update", changes.__setitem__)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "somewhere")
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "1")
    compiler.enable_compilation_cache()
    assert changes == {}
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    compiler.enable_compilation_cache()
    assert changes == {"jax_compilation_cache_dir": str(compiler.cache_folder("xla"))}
