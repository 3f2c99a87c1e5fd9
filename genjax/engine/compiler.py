"""How XLA's CPU backend is asked to compile a training loop: the options that were measured to pay."""

import os
from functools import cache

import jax

from genjax.files import cache_folder

CPU = {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE",  # sums; the rest is Eigen's
    "xla_cpu_prefer_vector_width": 512,  # where the processor has such vectors; XLA's own choice is 256
}
"""A tenth to a sixth of a step's time (docs/performance.md). XLA calls the first experimental, so it may go away."""


@cache
def options() -> dict[str, str | int]:
    """What to give to `jax.jit(compiler_options=...)`: of `CPU` what this XLA knows, and nothing on other backends."""
    if jax.default_backend() != "cpu":
        return {}
    return {name: value for name, value in CPU.items() if _known(name, value)}


def _known(name, value):
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except jax.errors.JaxRuntimeError:  # no such option, or no such value
        return False
    return True


def enable_compilation_cache() -> None:
    """Keep compiled programs between processes, in JAX_COMPILATION_CACHE_DIR or the user's cache folder."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder("xla")))
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
