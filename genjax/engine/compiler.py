"""How programs are compiled: the options for the target's compiler, and where compiled programs are kept."""

import os
from functools import cache

import jax

from genjax.files import cache_folder
from genjax.ops import backend
from genjax.ops.cpu.options import ONCE, OPTIONS, known


def options(once: bool = False) -> dict[str, str | int]:
    """Arguments for `jax.jit(compiler_options=...)`: those of `genjax.ops.cpu.options` on CPU, none elsewhere.

    `once`: of a program that is called once, and takes longer to compile than to run. It has none where
    JAX_DISABLE_MOST_OPTIMIZATIONS is set, which leaves out more.
    """
    if not backend.on_cpu() or (once and jax.config.read("jax_disable_most_optimizations")):
        return {}
    chosen = ONCE if once else OPTIONS
    return {name: value for name, value in chosen.items() if name in _known_to_cpu()}


@cache
def _known_to_cpu() -> dict[str, str | int]:
    return known(OPTIONS | ONCE)


def enable_compilation_cache() -> None:
    """Keep compiled programs between processes, in JAX_COMPILATION_CACHE_DIR or the user's cache folder."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder("xla")))
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
